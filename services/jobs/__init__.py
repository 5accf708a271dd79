"""Built-in job types: every plain module defines one as ``JOB``; sub-packages hold their parts."""
