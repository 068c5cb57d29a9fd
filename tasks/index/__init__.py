"""Keep the index: a table of all shots and a table of all batches in a database, made from their records.

It answers questions about many shots, for which it would take too long to read every record.
"""
