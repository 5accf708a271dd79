"""The backtester: what is asked (request), what the strategy does (strategy, simulate), how it went (metrics)."""
