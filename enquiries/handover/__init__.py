"""Hand-over to a person (转人工): who waits, who speaks with whom, who is called back."""
