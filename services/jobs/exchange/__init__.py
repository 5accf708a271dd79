"""Candles of exchanges: one budget of requests for all workers, patience, and nothing stored unchecked."""
