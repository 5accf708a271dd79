"""tradebot: run, check and repair a trading-bot stack from one command line."""
