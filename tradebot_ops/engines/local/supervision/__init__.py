"""Processes of this host kept running: supervisor's configuration, its RPC, what outlives it."""
