"""Read the config files into validated models, and resolve them into one plan (the rules for one shot)."""
