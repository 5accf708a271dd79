"""Contents of a bundle: one file for each kind, which offers a ``COLLECTOR``."""
