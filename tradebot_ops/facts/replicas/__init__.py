"""Facts of running replicas: their state, limits, processes, images and logs."""
