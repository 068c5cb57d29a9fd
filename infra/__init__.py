"""Provide the servers around Packshot: embedded ones for one machine, compose file, images.

It imports no other package of this project.
"""
