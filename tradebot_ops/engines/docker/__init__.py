"""Docker: the engine that runs the stack as containers. Import ``engine`` only when Docker was chosen."""
