"""Orders of operators for jobs: of one type, or of all."""
