"""Read and write the objects in the bucket (S3 storage), and test the S3 server.

Also here: leases (objects that keep two runs from the same work at the same time), seals (codes that prove that
Packshot wrote an object), and copies of objects on this machine's disk.
"""
