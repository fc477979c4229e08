"""Tests of what only the Rasa runtime loads: ``python -m unittest discover -s bot/tests -t .``."""
