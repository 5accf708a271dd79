"""Redis, Postgres and the data in them."""
