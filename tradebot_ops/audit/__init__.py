"""The audit log of a project: a chain of lines, written by ``operations/change.py`` alone."""
