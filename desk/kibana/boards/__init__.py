"""The dashboards, a file each, and what they share."""
