"""The trading bot's own services: API and worker, and what they share."""
