"""All policies over all profiles at once, in a database, by the rules that judge one profile."""
