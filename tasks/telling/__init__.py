"""What people are told: artifacts on Prefect's pages, notices, a sign of life."""
