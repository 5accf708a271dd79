"""Docker engines of the tests' own: full disks, registries, TLS."""
