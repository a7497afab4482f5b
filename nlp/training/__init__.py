"""Training and measuring: reads the shared data and the project's own corpus, writes ``nlp/models``."""
