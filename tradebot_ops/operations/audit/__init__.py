"""The audit log: what each change writes into it, and the command that shows and checks it."""
