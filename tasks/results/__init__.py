"""Results of tasks: what they hand on, where they are kept, and when a finished one serves again."""
