"""Workers and their jobs."""
