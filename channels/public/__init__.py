"""Pages for everybody: how far a case is, and what the city reports and mends."""
