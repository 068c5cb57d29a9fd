"""Batches: find closed ones, take stock of their files, find approved shots, and sum up the results."""
