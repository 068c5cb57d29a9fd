"""Define what tasks pass on to each other, where these results are stored, and when a result is used again."""
