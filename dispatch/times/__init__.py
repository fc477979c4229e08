"""Days and times in what citizens say, and the city's calendar."""
