"""Alerts: what fires, silences, whether the rules are right, whether an alert arrives."""
