"""What is broken on purpose, one thing at a time, and which check must say so."""
