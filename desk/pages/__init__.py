"""The desk's pages, and the functions that answer their addresses."""
