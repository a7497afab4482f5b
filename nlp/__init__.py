"""NLP: what a post says, and which posts tell the same incident."""
