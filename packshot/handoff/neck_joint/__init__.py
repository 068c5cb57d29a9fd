"""The neck joint's head start: what is mannequin, where the neck shot belongs, both in one layered file."""
