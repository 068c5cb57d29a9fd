"""File formats: what a header says, and pixels as stored. One module per format; nothing here knows our limits."""
