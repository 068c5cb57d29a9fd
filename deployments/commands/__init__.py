"""Define the commands of the program ``packshot`` that need storage or Prefect, in groups."""
