"""Deliver to clients: write numbered deliveries, collect late approvals, and share deliveries by links."""
