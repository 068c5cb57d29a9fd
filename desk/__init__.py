"""Serve the review desk: web pages on which people look at shots that wait for them, and decide."""
