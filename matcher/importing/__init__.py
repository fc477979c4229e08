"""Reads a policy document into a draft that an official completes and approves."""
