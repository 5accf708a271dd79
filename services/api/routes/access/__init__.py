"""Routes about who may ask what, and who did."""
