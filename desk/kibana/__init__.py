"""Kibana: what Vigie gives it to show, generated as saved objects in French and English, checked, and imported."""
