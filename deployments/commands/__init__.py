"""Groups of commands, as ``packshot`` shows them."""
