"""Replicas of this host looked at: their state, events, logs and use."""
