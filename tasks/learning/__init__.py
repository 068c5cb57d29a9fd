"""Learn from people's decisions: audits, training, and the choice of the routing model."""
