"""The bucket and its objects: reads and writes, checks, leases, seals, and copies on this machine."""
