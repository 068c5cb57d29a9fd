"""Colour: working space, ICC profiles, transforms, colour difference."""
