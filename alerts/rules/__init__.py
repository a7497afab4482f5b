"""Rules: who owns an incident, who is on call, and when nobody is woken. Pure functions."""
