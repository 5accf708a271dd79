"""The owner's maintenance lists: the part of them that a machine can do, and what is left for a person."""
