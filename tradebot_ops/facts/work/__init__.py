"""Facts of the work: jobs, the queue, and the workers."""
