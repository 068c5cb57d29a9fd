"""Provide what work on photographs needs of a machine: confined child processes, memory, and segmentation networks."""
