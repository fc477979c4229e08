"""Linking conversations on several channels as one person's (docs/identities.md)."""
