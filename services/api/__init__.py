"""The HTTP API: takes jobs, tells what became of them, and says how the stack is."""
