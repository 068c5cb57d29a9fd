"""The machine's work on shots: one task a stage, and what is kept of it."""
