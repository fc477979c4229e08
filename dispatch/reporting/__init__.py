"""Taking a complaint: from the first message to a draft that can be filed."""
