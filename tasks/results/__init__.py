"""Results of tasks: what tasks pass on, where results are stored, and when a finished result is used again."""
