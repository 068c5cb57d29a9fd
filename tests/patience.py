"""How long tests wait for what must come. It costs nothing where it comes; a busy machine is no fault of the code."""

PATIENCE_S = 300.0
