"""From facts to what is wrong, and why: topics, causes, errors by fingerprint, the bundle for whoever helps."""
