"""The pages on which agents speak with citizens."""
