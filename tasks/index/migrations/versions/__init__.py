"""Hold the migrations of the index (the tables of all shots and batches): one module for each, the oldest first."""
