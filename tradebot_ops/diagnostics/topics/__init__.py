"""One file a topic; rooms below part them by what they look at."""
