"""The machine's work on shots: one task for each stage, and the objects that the tasks store."""
