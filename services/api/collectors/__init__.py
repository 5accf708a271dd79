"""Metrics that are computed at a scrape, from the answers of a store in the last seconds."""
