"""A local server that stands in for X: same wire format, same limits, posts from a file on their own clock."""
