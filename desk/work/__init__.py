"""What waits, who is at it, and what was decided: the desk's own state between two pages."""
