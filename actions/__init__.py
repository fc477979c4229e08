"""Rasa custom actions: thin translations between slots and the matcher, dispatch and store rooms."""
