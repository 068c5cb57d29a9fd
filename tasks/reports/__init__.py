"""Make reports: the day's figures, the return rate, and the board of waiting shots."""
