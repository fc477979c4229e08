"""The HTTP gateway: Chat API, web page, media links and the desk's webhook."""
