"""Logging in at the console of the city's staff, and what its pages share."""
