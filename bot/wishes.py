"""Two wishes in one message: where to cut, and what to answer first.

A message is cut at marks and at words that open another wish (还有, 另外, 顺便 …). Each clause is
read on its own; clauses without a clear wish belong to their neighbour. Only when two stretches,
read whole, are clearly about different things is the message taken apart: a long story about one
thing stays whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Sequence

Reading = Dict[str, Any]
"""What Rasa makes of a text: ``{"intent": {"name", "confidence"}, "entities": [...]}``."""
Read = Callable[[Sequence[str]], List[Reading]]

SURE = 0.75
"""On both sides of an opening word, a clause is a wish from this confidence on."""
VERY_SURE = 0.9
"""What it takes without one (both chosen on the development half)."""
STILL_SURE = 0.6
"""What a whole stretch must reach for the message to be cut."""
MOST_WISHES = 3
MOST_CLAUSES = 12
"""A message of more clauses is a story; it stays whole."""
_SHORTEST = 3
_CURT = 11
"""A further question without an opening word is asked in so few characters."""

_FAMILIES = {
    "service": ("ask_service",),
    "materials": ("ask_materials",),
    "place": ("ask_place_time",),
    "fee": ("ask_fee",),
    "duration": ("ask_duration",),
    "appointment": ("ask_appointment",),
    "progress": ("check_ticket",),
    "supplement": ("supplement_ticket",),
    "withdrawal": ("withdraw_ticket",),
    "rating": ("rate_ticket",),
    "profile": ("update_profile",),
    "subscription": ("subscribe_policies", "unsubscribe_policies"),
    "detail": ("ask_policy_detail",),
    "policy": ("ask_policy",),
    "complaint": ("report_pollution", "report_city_issue"),
}
_FAMILY = {intent: family for family, intents in _FAMILIES.items() for intent in intents}
_LAST = {"complaint": 1, "policy": 2}
"""What asks back comes after what can be answered at once."""
_ABOUT_SERVICES = frozenset({"materials", "place", "fee", "duration", "appointment"})
_ABOUT_POLICIES = frozenset({"detail", "policy"})
_ABOUT_TICKETS = frozenset({"progress", "supplement", "withdrawal", "rating"})
_TOLD_TOGETHER = (
    frozenset({"complaint", "supplement"}),  # what is added to a case describes it
    frozenset({"complaint", "rating"}),
    frozenset({"policy", "profile"}),  # circumstances belong to the question
    frozenset({"detail", "profile"}),
)

_SEPARATORS = "，,；;\n "
_MARKS = r"[，,。；;！!？?\n]+"
_OPENERS = (
    r"还有(?!多|几|没|啥|什么|哪|用|效|必要|机会|救|希望|人)|另外(?!那|的|一)|顺便|顺带|对了|再就是"
    r"|再一个|再问|此外|除此之外|还想|也想|再帮我|再者|一个是"
)
_CUT = re.compile(rf"(?<={_MARKS[:-1]})|(?={_OPENERS})")
_OPENS = re.compile(_OPENERS)


@dataclass
class Wish:
    """A stretch of the message and what it wants."""

    text: str
    family: str
    reading: Reading
    opened: bool
    clauses: int = 1

    @property
    def intent(self) -> str:
        """Name of the intent the stretch was read as."""
        return str(self.reading["intent"]["name"])


def wishes(text: str, read: Read) -> List[Wish]:
    """Return the wishes of a message in the order to answer them; one or none: do not cut.

    Args:
        text: the citizen's words.
        read: reads texts as Rasa does, all at once.
    """
    clauses = [clause for clause in _CUT.split(text) if clause]
    if not 2 <= len(clauses) <= MOST_CLAUSES:
        return []
    stretches = _stretches(clauses, read)
    if not 2 <= len(stretches) <= MOST_WISHES:
        return []
    joined = [stretch for stretch in stretches if stretch.clauses > 1]
    for stretch, reading in zip(joined, read([stretch.text for stretch in joined])):
        stretch.reading = reading
        if _family(reading, STILL_SURE) != stretch.family:
            return []
    for stretch in stretches:
        stretch.text = stretch.text.rstrip(_SEPARATORS)
    return sorted(stretches, key=lambda wish: _LAST.get(wish.family, 0))


def _stretches(clauses: Sequence[str], read: Read) -> List[Wish]:
    """Join clauses to stretches of one wish each."""
    stretches: List[Wish] = []
    story: List[str] = []
    for clause, wish in zip(clauses, _clear_wishes(clauses, read)):
        if wish is not None and (not stretches or _differs(stretches[-1], wish)):
            wish.text, wish.clauses = "".join([*story, clause]), len(story) + 1
            stretches.append(wish)
            story = []
        elif stretches:
            stretches[-1].text += clause
            stretches[-1].clauses += 1
        else:
            story.append(clause)
    return stretches


def _clear_wishes(clauses: Sequence[str], read: Read) -> List[Wish | None]:
    """Return for every clause what it wants, or None when that is not clear."""
    words = [re.sub(_MARKS, "", clause) for clause in clauses]
    long_enough = [i for i, word in enumerate(words) if len(word) >= _SHORTEST]
    opened = [bool(_OPENS.match(clause)) for clause in clauses] + [False]
    found: List[Wish | None] = [None] * len(clauses)
    for i, reading in zip(long_enough, read([words[i] for i in long_enough])):
        family = _family(reading, SURE if opened[i] or opened[i + 1] else VERY_SURE)
        if family is not None:
            found[i] = Wish(clauses[i], family, reading, opened[i])
    return found


def _family(reading: Reading, least: float) -> str | None:
    """Return the family of what was read with at least this confidence."""
    intent = reading["intent"]
    return _FAMILY.get(intent["name"]) if intent["confidence"] >= least else None


def _differs(one: Wish, other: Wish) -> bool:
    """Tell whether two neighbouring clauses want different things."""
    pair = frozenset({one.family, other.family})
    if len(pair) == 1:
        return one.family == "service" and other.opened and _things(one).isdisjoint(_things(other))
    if "service" in pair and pair & _ABOUT_SERVICES:
        return other.opened and bool(_things(other)) and _things(one).isdisjoint(_things(other))
    if pair <= _ABOUT_SERVICES:
        return other.opened or len(other.text) <= _CURT
    if pair <= _ABOUT_TICKETS:
        return other.opened
    return not pair <= _ABOUT_POLICIES and pair not in _TOLD_TOGETHER


def _things(wish: Wish) -> frozenset[str]:
    return frozenset(
        entity["value"] for entity in wish.reading["entities"] if entity["entity"] == "service_item"
    )
