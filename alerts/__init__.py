"""Alerts: who is told, through what, and who answered."""
