"""Organise people's work: jobs for editors and reviewers, decisions, due times, and files that editors return."""
