"""Facts of the project: its description, settings, lock and neighbours on this host."""
