"""Shared by API and worker: settings, logging, ledger, transport, metric registry."""
