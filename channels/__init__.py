"""Doors to the citizens: the Chat API, the web page and the desk's webhook."""
