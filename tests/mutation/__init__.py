"""Does a test notice: small faults, put in one at a time."""
