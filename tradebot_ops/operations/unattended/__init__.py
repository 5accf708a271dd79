"""Work of this host for a project while nobody is there: at boot, and by its schedulers."""
