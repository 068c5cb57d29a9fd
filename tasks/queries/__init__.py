"""Questions about many shots, answered by the index."""
