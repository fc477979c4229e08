"""A filed complaint: who handles it, how long, what its citizen hears, how it ends."""
