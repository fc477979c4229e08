"""Which policies a person should be told of: pure rules over policies and what is known."""
