"""Hold the migrations of the index: one module for each, the oldest first."""
