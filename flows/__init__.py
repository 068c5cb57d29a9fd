"""In which order: composition, fan-out, branching and the final state. No pixels, no S3."""
