"""Backups of projects: what one holds, where they lie, which may go. They are made by ``operations/backup``."""
