"""Run embedded servers on 127.0.0.1: S3, PostgreSQL and Prefect, installed from wheels.

Their data are in one state folder.
"""
