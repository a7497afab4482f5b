"""Trials: each does Vigie some harm in a folder of its own, lets it recover, and counts what was lost or doubled."""
