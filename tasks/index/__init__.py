"""The index: a table of all shots and one of all batches, made from their records, for what is asked about many."""
