"""Facts of the monitoring: what is scraped, shown and computed from it."""
