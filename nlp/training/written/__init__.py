"""The corpus written for the project (``nlp/corpus``): read, checked, measured and described."""
