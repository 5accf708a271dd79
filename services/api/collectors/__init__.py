"""Figures of the stores, read when Prometheus asks and kept for a few seconds."""
