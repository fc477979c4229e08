"""Rasa custom actions: thin translations between slots and the other rooms."""
