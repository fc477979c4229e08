"""The only room that speaks SQL about people and tickets."""
