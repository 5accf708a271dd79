"""Killing and stalling every process of a stack at random, and what its ledger says afterwards."""
