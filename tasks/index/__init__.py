"""Keep the index: a table of all shots and a table of all batches in a database, made from their records.

The index answers questions about many shots, for which reading every record would take too long.
"""
