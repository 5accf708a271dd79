"""How tradebot talks to what runs: one library per file, each call with its own deadline, each failure a sentence."""
