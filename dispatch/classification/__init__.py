"""The city's complaint categories, and which one words suggest."""
