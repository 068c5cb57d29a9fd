"""Configs: their models, how they are read, and how they resolve into one plan."""
