"""Provide the servers around Packshot: embedded ones for one machine, compose file, images.

This package imports no other package of the project.
"""
