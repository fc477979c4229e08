"""The bundled reference dispatch desk: an Open311 GeoReport v2 server."""
