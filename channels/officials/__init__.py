"""The officials' pages of the console: complaints, policies, questions, deliveries, audit."""
