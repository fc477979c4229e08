"""Backup and restore: rows of every table, photos and the city's own files, in one archive."""
