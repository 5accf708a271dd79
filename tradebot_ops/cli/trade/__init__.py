"""Commands for whoever trades: prices and strategies of one's own."""
