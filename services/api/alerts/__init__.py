"""Alerts: what arrived, whether it was worth its noise, and news of jobs for whoever wished for it."""
