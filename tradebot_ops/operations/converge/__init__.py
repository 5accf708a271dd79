"""The difference between the description and the world, and how the one becomes the other."""
