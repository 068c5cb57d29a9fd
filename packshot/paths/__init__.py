"""Clipping paths: read them from files, rasterise them to mattes, fit drafts to mattes, and write them to files."""
