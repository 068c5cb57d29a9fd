"""Records of shots and batches: the truth about each, changed by conditional writes."""
