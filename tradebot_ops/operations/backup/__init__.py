"""Backups: make, prove, restore, clear away."""
