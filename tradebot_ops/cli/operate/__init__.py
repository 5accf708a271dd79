"""Commands that run the stack and its work."""
