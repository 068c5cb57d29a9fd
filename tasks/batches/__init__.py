"""Take a batch (one upload of photographs by a client) from its closing to its result.

The modules find closed batches, take stock of their files, find approved shots, and sum up what became of each file.
"""
