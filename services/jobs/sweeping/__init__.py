"""Sweeps: figures of many runs at once, and what luck alone would have given."""
