"""Built-in job types: every plain module here defines one as ``JOB``; sub-packages hold what they are made of."""
