"""Clipping paths: read from an editor's file, turned into a matte, drawn as a draft from a matte, written."""
