"""Metrics that are computed at a scrape, from what a store said within the last seconds."""
