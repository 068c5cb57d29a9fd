"""Keep the desk's own state between two pages: waiting shots, claims, and decisions that were made."""
