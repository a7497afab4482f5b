"""Rules: what a bundle's declarations must mean together, one family a file."""
