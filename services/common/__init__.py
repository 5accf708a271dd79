"""What API and worker share: settings, logging, ledger, transport, metric registry."""
