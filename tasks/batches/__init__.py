"""A client's batch: which are closed, what was uploaded, what is approved, and what became of each file."""
