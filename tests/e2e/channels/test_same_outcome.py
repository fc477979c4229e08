"""The same twenty conversations on every channel, with the same outcome.

``conversations.yml`` holds them: ``name``, ``turns`` and the ``end``. A turn is what happens
(``say`` words, ``press`` a button by its title, ``photo: true`` with or without ``say``,
``locate`` [latitude, longitude], ``desk`` [action, explanation] of the dispatcher, or nothing, when
news is waited for) and what the citizen is shown: ``says`` words, ``silent`` words that are not
there, ``offers`` titles of buttons, ``hears`` words of a message nobody asked for. ``{ticket}`` is
the id of his newest ticket. ``end`` is what :mod:`tests.e2e.channels.outcome` finds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.browser.photos import kitchen_smoke
from tests.e2e.channels.outcome import case_of, wait_outcome
from tests.e2e.channels.people import Newcomer, Person, Shown
from tests.e2e.driver import Desk
from tests.stack import Stack

pytestmark = pytest.mark.e2e

HAPPENS = {"say", "press", "photo", "locate", "desk"}
SHOWN = {"says", "silent", "offers", "hears"}
TICKET = re.compile(r"SM\d{14}")

SCRIPTS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("conversations.yml").read_text(encoding="utf-8")
)


def test_there_are_twenty_and_each_looks_at_what_is_shown() -> None:
    assert len({script["name"] for script in SCRIPTS}) == len(SCRIPTS) == 20
    for script in SCRIPTS:
        assert set(script) == {"name", "turns", "end"}
        for turn in script["turns"]:
            assert set(turn) <= HAPPENS | SHOWN, f"{script['name']}: {turn}"
            assert set(turn) & SHOWN or "desk" in turn, f"{script['name']}: {turn}"


@pytest.mark.usefixtures("staffed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script["name"])
def test_a_conversation_has_the_same_outcome_on_every_channel(
    stack: Stack, newcomer: Newcomer, desk: Desk, script: dict[str, Any]
) -> None:
    person, ticket = newcomer(), ""
    for number, turn in enumerate(script["turns"], start=1):
        shown = _happen(person, desk, stack, turn, ticket)
        ticket = (TICKET.findall(shown.text) or [ticket])[-1]
        fault = _fault(turn, shown, ticket)
        assert fault is None, f"turn {number} {turn}: {fault}\n{shown.text}\n{shown.choices}"
    wait_outcome(stack, person.citizen, script["end"])


def _happen(person: Person, desk: Desk, stack: Stack, turn: dict[str, Any], ticket: str) -> Shown:
    words = turn.get("say", "").format(ticket=ticket)
    if "desk" in turn:
        action, *explanation = turn["desk"]
        desk.act(case_of(stack, ticket), action, *explanation)
    elif "press" in turn:
        return person.press(turn["press"])
    elif turn.get("photo"):
        return person.send_photo(kitchen_smoke(), words)
    elif "locate" in turn:
        return person.share_place(*turn["locate"])
    elif words:
        return person.say(words)
    return person.news(turn["hears"]) if "hears" in turn else Shown("")


def _fault(turn: dict[str, Any], shown: Shown, ticket: str) -> str | None:
    text = " ".join(shown.text.split())
    missing = [w for w in _list(turn, "says") if w.format(ticket=ticket) not in text]
    missing += [title for title in _list(turn, "offers") if title not in shown.choices]
    if missing:
        return f"not there: {missing}"
    unwanted = [words for words in _list(turn, "silent") if words in text]
    return f"there although it must not be: {unwanted}" if unwanted else None


def _list(turn: dict[str, Any], name: str) -> list[str]:
    value = turn.get(name, [])
    return [value] if isinstance(value, str) else list(value)
