"""Listeners: posts come in here, one platform a file."""
