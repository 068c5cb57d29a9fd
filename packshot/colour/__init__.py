"""Colour: the working space, ICC profiles, conversions between spaces, and colour differences."""
