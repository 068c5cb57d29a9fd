"""Learning: train the routing model from judged shots, and measure from audits how often the machine is wrong."""
