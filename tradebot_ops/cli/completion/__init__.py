"""Candidates for the Tab key: commands, options and the names of what runs."""
