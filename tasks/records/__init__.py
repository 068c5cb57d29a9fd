"""Read and change the records of shots and batches, which hold the state and history of each.

They are changed by conditional writes only, so that no update is lost.
"""
