"""Facts of access: who reaches what, with which rights, and whether a secret shows."""
