"""Places of the city in what citizens say, and points on its map."""
