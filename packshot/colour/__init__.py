"""Colour: the working space (Adobe RGB), ICC profiles, conversions between spaces, and colour differences."""
