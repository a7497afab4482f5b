"""Config: the agency's declared world, and what it means."""
