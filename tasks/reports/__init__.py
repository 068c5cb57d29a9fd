"""Reports: the day's figures, the return rate, the board of what waits."""
