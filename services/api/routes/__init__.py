"""One file per noun; each holds a ``router``."""
