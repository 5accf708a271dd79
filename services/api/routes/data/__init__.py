"""Routes of market data."""
