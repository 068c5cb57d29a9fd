"""Work that an editor returns: read the picture and its matte, and check it before a person looks at it."""
