"""``shimin doctor``: is everything there that an installation needs, and what to do if not."""
