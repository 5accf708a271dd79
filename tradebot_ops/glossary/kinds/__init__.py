"""Kinds of names that are explained, one file each."""
