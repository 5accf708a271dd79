"""Metrics, targets, rules, queries, panels, and the files they come from."""
