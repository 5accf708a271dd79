"""Candles: where they come from, whether they are sound, where they are kept."""
