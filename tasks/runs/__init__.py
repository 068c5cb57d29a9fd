"""Flow runs: those that wait, that are shared out in parts, that have died, that start again."""
