"""The floor every other room stands on: settings, errors, logs and the sentence encoder.

Nothing here imports another room of the project.
"""
