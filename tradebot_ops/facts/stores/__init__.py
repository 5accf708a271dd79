"""Facts of the data stores: what Redis and Postgres keep, how they are set, who gets in."""
