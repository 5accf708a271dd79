"""The HTTP API: takes jobs, and reports their results and the state of the stack."""
