"""Two wishes in one message: where to cut, and what to answer first.

A message is cut at marks and at words that open another wish (还有, 另外, 顺便 …). Each clause is
read on its own; clauses without a clear wish belong to their neighbour. Only when two stretches,
read whole, are clearly about different things is the message taken apart: a long story about one
thing stays whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, List, Sequence

Parse = Callable[[str], Awaitable[Dict[str, Any]]]

SURE = 0.75
"""Behind an opening word, a clause is a wish of its own from this confidence on."""
VERY_SURE = 0.9
"""What it takes without one (both chosen on the development half)."""
STILL_SURE = 0.6
"""What a whole stretch must reach for the message to be cut."""
MOST_WISHES = 3
_SHORTEST = 3

_FAMILIES = {
    "service": ("ask_service",),
    "materials": ("ask_materials",),
    "place": ("ask_place_time",),
    "fee": ("ask_fee",),
    "duration": ("ask_duration",),
    "appointment": ("ask_appointment",),
    "ticket": ("check_ticket", "withdraw_ticket", "rate_ticket"),
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

_MARKS = r"[，,。；;！!？?\n]+"
_OPENERS = (
    r"还有(?!多|几|没|啥|什么|哪|用|效|必要|机会|救|希望|人)|另外|顺便|顺带|对了|再就是|再一个|再问"
    r"|此外|除此之外|还想|也想|再帮我|再者"
)
_CUT = re.compile(rf"(?<={_MARKS[:-1]})|(?={_OPENERS})")
_OPENS = re.compile(_OPENERS)


@dataclass
class Wish:
    """A stretch of the message and what it wants."""

    text: str
    family: str
    intent: str
    parse: Dict[str, Any]
    opened: bool


async def wishes(text: str, parse: Parse) -> List[Wish]:
    """Return the wishes of a message in the order to answer them; one or none: do not cut.

    Args:
        text: the citizen's words.
        parse: reads a text as Rasa does (``{"intent": {...}, "entities": [...]}``).
    """
    clauses = [clause for clause in _CUT.split(text) if clause]
    if len(clauses) < 2:
        return []
    stretches = await _stretches(clauses, parse)
    if not 2 <= len(stretches) <= MOST_WISHES:
        return []
    found = []
    for stretch in stretches:
        read = await parse(stretch.text)
        intent = read["intent"]
        if _FAMILY.get(intent["name"]) != stretch.family or intent["confidence"] < STILL_SURE:
            return []
        found.append(Wish(stretch.text, stretch.family, intent["name"], read, stretch.opened))
    return sorted(found, key=lambda wish: _LAST.get(wish.family, 0))


async def _stretches(clauses: Sequence[str], parse: Parse) -> List[Wish]:
    """Join clauses to stretches of one wish each."""
    stretches: List[Wish] = []
    story = ""
    for clause in clauses:
        wish = await _clear_wish(clause, parse)
        if wish is None or (stretches and not _differs(stretches[-1], wish)):
            if stretches:
                stretches[-1].text += clause
            else:
                story += clause
        else:
            wish.text = story + clause if not stretches else clause
            stretches.append(wish)
    return stretches


async def _clear_wish(clause: str, parse: Parse) -> Wish | None:
    words = re.sub(_MARKS, "", clause)
    if len(words) < _SHORTEST:
        return None
    read = await parse(words)
    intent = read["intent"]
    family = _FAMILY.get(intent["name"])
    opened = bool(_OPENS.match(clause))
    if family is None or intent["confidence"] < (SURE if opened else VERY_SURE):
        return None
    return Wish(clause, family, intent["name"], read, opened)


def _differs(one: Wish, other: Wish) -> bool:
    """Tell whether two neighbouring clauses want different things."""
    if one.family == other.family:
        return one.family == "service" and other.opened and _things(one).isdisjoint(_things(other))
    pair = {one.family, other.family}
    if "service" in pair and pair & _ABOUT_SERVICES:
        return other.opened and bool(_things(other)) and _things(one).isdisjoint(_things(other))
    return not pair <= _ABOUT_POLICIES


def _things(wish: Wish) -> frozenset[str]:
    return frozenset(e["value"] for e in wish.parse["entities"] if e["entity"] == "service_item")
