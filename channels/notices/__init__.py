"""Policies find people: who hears what, when and where; mail and group robots."""
