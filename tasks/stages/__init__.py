"""Do the machine's work on shots: each stage is one task, which reads and writes objects in storage."""
