"""The desk: one web page for the crew, served on this machine only."""
