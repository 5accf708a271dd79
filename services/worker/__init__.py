"""The worker: takes ids from Redis, claims jobs in the ledger, runs each in a child process."""
