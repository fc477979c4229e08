"""Complaints about the same thing: duplicates, followers, hot spots."""
