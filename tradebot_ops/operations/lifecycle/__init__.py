"""Start, stop, scale, look at and take down the stack."""
