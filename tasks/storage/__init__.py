"""The bucket, and what is said about its objects: checks, leases, seals, copies on this machine."""
