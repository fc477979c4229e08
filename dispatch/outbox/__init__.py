"""What goes to the dispatch system and comes back: delivery, polling, regular jobs."""
