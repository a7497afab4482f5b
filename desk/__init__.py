"""Desk: everything a person touches: the page, the command line, the benches."""
