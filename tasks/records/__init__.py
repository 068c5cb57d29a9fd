"""Records of shots and batches: the state and the history of each. They are changed by conditional writes only."""
