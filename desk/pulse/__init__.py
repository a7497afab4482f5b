"""Whether Vigie itself is well: what it hears, what moves, and who is told when it stands still."""
