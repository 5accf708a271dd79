"""Faults that must be told, by what they are faults of, and what drills them."""
