"""The audit log of a project: a chain of lines, written by ``operations/change.py`` alone."""

LOG, HEAD = "audit.jsonl", "audit-head.json"
#: They outlive the project: `down --volumes` leaves them. Named here, so that whoever leaves them loads nothing else.
FILES = (LOG, HEAD)
