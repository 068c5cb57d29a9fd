"""The desk's pages and the addresses behind them."""
