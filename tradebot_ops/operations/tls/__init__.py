"""Certificates of a project: made by an authority of its own, or brought, examined and kept beside its secrets."""
