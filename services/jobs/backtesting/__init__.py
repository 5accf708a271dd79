"""The backtester: what is asked (request), what is done (strategy, simulate), how it went (metrics)."""
