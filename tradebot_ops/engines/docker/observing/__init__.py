"""Containers looked at: their state, events, logs, addresses and use."""
