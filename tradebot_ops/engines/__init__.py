"""Where services run. Every engine keeps the protocol of ``base.py``; one contract suite proves it."""
