"""Work that people do: jobs for editors and reviewers, their decisions, due times, and the files that they return."""
