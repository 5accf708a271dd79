"""Commands for whoever trades: prices of one's own."""
