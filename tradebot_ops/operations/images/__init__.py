"""Images: built, made from Debian packages, listed, carried in a file."""
