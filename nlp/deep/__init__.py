"""The deep path: spaCy over blank French and English pipelines, with components of our own, one a question."""
