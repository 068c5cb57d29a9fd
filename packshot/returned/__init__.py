"""Work returned by an editor: read the picture and its matte, and check it before a person looks at it."""
