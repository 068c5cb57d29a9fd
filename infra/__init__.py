"""What runs around the line: embedded servers for one machine, compose file, images. Imports no floor."""
