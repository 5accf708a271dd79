"""Tests of the repository itself: layout, wording, documentation, error codes."""
