"""Facts of alerting: rules, routes, delivery, and what arrived."""
