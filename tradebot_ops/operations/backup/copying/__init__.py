"""Copies of backups elsewhere: in another folder, or on another host."""
