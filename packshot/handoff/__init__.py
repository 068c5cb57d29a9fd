"""Hand-over to people: jobs for editors and reviewers, their decisions, due times, and the work that they return."""
