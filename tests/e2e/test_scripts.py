"""Scripted conversations of at least six turns, with digressions, over the Chat API.

``conversations/*.yml`` holds them: a list of ``name`` and ``turns``. A turn is what the citizen
does (``say`` words, ``press`` the beginning of a button's title, ``choose`` an intent: the last
button of its payload that does not lead back, ``locate`` [latitude, longitude], ``photo: true``
with ``say``) and what he must get:

``item``: the one service card is this item's; ``no_item``: no service card; ``says``: words in
the answer; ``silent``: words not in it; ``offers``: beginnings of button titles; ``intent``;
``ticket``: a ticket card; ``policy``: at least one policy card.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.driver import Citizen, Heard, location, photo

pytestmark = pytest.mark.e2e

FOLDER = Path(__file__).with_name("conversations")
TURNS = 6
DOES = {"say", "press", "choose", "locate", "photo"}
BACK = ("换", "看别的")
"""How the titles of buttons begin that take a choice back."""
GETS = {"item", "no_item", "says", "silent", "offers", "intent", "ticket", "policy"}

SCRIPTS: list[dict[str, Any]] = [
    script
    for path in sorted(FOLDER.glob("*.yml"))
    for script in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def test_there_are_enough_scripts_and_each_is_long_enough() -> None:
    names = [script["name"] for script in SCRIPTS]
    assert len(set(names)) == len(names) >= 66
    for script in SCRIPTS:
        assert len(script["turns"]) >= TURNS, script["name"]
        assert any(GETS & set(turn) for turn in script["turns"][-1:]), script["name"]
        for turn in script["turns"]:
            assert set(turn) <= DOES | GETS, f"{script['name']}: {turn}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script["name"])
def test_a_conversation_reaches_its_end(
    new_citizen: Callable[[], Citizen], script: dict[str, Any]
) -> None:
    citizen = new_citizen()
    for number, turn in enumerate(script["turns"], start=1):
        heard = _do(citizen, turn)
        fault = _fault(turn, heard)
        assert fault is None, f"turn {number} {turn}: {fault}\n{heard.text}\n{heard.buttons}"


def _do(citizen: Citizen, turn: dict[str, Any]) -> Heard:
    if "press" in turn:
        return citizen.press(turn["press"])
    if "choose" in turn:
        wanted = f"/{turn['choose']}{{"
        buttons = citizen.buttons.items()
        ahead = [t for t, p in buttons if p.startswith(wanted) and not t.startswith(BACK)]
        assert ahead, f"nothing to choose in {list(citizen.buttons)}"
        return citizen.press(ahead[-1])
    attachments = [location(*turn["locate"])] if "locate" in turn else []
    if turn.get("photo"):
        attachments.append(photo())
    return citizen.say(turn.get("say", ""), *attachments)


def _fault(turn: dict[str, Any], heard: Heard) -> str | None:
    services = [card["id"] for card in heard.cards("service")]
    if "item" in turn and services != [turn["item"]]:
        return f"cards of {services}"
    if turn.get("no_item") and services:
        return f"an item was answered: {services}"
    if "intent" in turn and heard.intent != turn["intent"]:
        return f"understood as {heard.intent}"
    for kind in ("ticket", "policy"):
        if turn.get(kind) and not heard.cards(kind):
            return f"no {kind} card"
    missing = [words for words in _list(turn, "says") if words not in heard.text]
    missing += [
        title
        for title in _list(turn, "offers")
        if not any(name.startswith(title) for name in heard.buttons)
    ]
    if missing:
        return f"not there: {missing}"
    unwanted = [words for words in _list(turn, "silent") if words in heard.text]
    return f"there although it must not be: {unwanted}" if unwanted else None


def _list(turn: dict[str, Any], name: str) -> list[str]:
    value = turn.get(name, [])
    return [value] if isinstance(value, str) else list(value)
