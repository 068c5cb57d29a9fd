"""Read and write the bucket's objects, test the S3 server, and handle leases, seals, and copies on this machine."""
