"""The door to what citizens say of themselves: one answer, or facts in a free sentence."""

from __future__ import annotations

from matcher.profile_answers import UNKNOWN, Unknown, parse_answer
from matcher.profile_facts import read_facts

__all__ = ["UNKNOWN", "Unknown", "parse_answer", "read_facts"]
