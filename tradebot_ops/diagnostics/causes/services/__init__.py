"""The API, and services at large."""
