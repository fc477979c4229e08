"""What only the Rasa runtime (Python 3.10) loads."""
