"""Routes about trading: whether anything may start, and the bot that trades elsewhere."""
