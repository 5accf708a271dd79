"""The stages. One that is dropped in as a file or a package with a ``STAGE`` is found by itself."""
