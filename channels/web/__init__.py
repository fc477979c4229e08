"""The web chat page: cookie session, messages and pushed events."""
