"""What the line's work came to, counted from records."""
