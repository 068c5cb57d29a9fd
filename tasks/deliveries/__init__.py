"""Deliveries to clients: numbered, late ones gathered, shared by links."""
