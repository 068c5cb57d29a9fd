"""Work that comes back from an editor: the picture and the matte in it, and whether it is fit to be looked at."""
