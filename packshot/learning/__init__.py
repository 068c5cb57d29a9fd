"""Train the routing model from judged shots, and measure with audits how often the machine is wrong."""
