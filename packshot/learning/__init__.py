"""Learning: from judged shots to a routing model, and from audits to how often the machine is wrong."""
