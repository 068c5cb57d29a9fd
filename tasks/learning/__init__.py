"""What the line learns from people's decisions: audits, training, and the routing model in use."""
