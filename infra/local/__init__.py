"""Embedded servers on 127.0.0.1: S3, PostgreSQL and Prefect, from wheels, under one state folder."""
