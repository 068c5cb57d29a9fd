"""Make reports: the day's numbers, the return rate, and the board of waiting shots."""
