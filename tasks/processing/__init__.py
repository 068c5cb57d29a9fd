"""Resources of a machine for work on photographs: confined child processes, memory, and segmentation networks."""
