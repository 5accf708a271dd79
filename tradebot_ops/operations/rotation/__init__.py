"""Secrets: show, check, import, and change them while the stack works."""
