"""One module for each kind of bot; its ``ADAPTER`` is all that the rest knows of it."""
