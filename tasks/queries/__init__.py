"""Answer questions about many shots from the index, a table of all shots that is made from their records."""
