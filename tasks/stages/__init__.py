"""The machine's work on shots: one task per stage, and the objects that it stores."""
