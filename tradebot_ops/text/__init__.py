"""Values as people read and write them, each in one place."""
