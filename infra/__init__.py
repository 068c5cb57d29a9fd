"""Infrastructure: embedded servers for one machine, compose file, images. Imports no other package of this project."""
