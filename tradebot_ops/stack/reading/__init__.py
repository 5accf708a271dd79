"""From YAML text to the typed parts of a stack: parse, merge, interpolate, read key by key."""
