"""Services and policies: profiles, eligibility, semantic search, ranking, explanations."""
