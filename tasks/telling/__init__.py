"""Tell people what happens: artifacts on Prefect's pages, notices, and a heartbeat for a monitoring service."""
