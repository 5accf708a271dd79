"""Docker: the stack as containers. ``locate`` is cheap to import, ``engine`` costs the SDK."""
