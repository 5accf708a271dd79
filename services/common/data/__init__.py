"""Market data on its way into the stack, as API and workers share it."""
