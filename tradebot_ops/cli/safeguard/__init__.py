"""Commands that keep what must not be lost."""
