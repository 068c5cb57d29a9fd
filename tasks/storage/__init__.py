"""The bucket and its objects: reads and writes, trials of the server, leases, seals, and copies on this machine."""
