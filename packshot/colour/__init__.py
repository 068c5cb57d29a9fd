"""Convert colours between the working space (Adobe RGB) and others, read ICC profiles, and measure differences."""
