"""Commands that show what the stack measures and reports."""
