"""How many questions a complaint takes, counted over fifty scripted residents.

``PYTHONPATH=. .venv/bin/python -m benchmarks.intake.run [--only NAME]`` starts the whole product
on loopback (tests/stack.py) and plays ``scripts.yml`` over its Chat API. A question is a reply that
asks for the problem, for the place, which place holds, or for the confirmation; asked again only
because the resident asked something else in between, it counts once. Category, place and contact
are read from the filed ticket; a resident who is shown a wrong category says so, which counts as
one more question. Exit code 1 when a target is missed: median at most 2, none above 3
except where the place is marked ambiguous, and every ticket right.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import cos, hypot, radians
from pathlib import Path
from typing import Annotated, Any

import httpx
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from base.settings import get_settings
from dispatch.classification.categories import load_categories
from store.database import unit_of_work
from store.models import Ticket
from store.privacy import reveal
from tests.e2e.driver import Citizen, Heard, jpeg, location, photo
from tests.stack import Stack, stack_environment

SCRIPTS = Path(__file__).with_name("scripts.yml")
MOST_TURNS = 12
MEDIAN_TARGET, MOST_TARGET = 2, 3
NEAR_METRES = 400.0
Point = tuple[float, float]

_ASKS = {
    "confirm": ("请您核对",),
    "which": ("以哪个为准",),
    "options": ("您说的是下面哪个地方",),
    "place": ("在什么地方", "请说清楚是哪个区"),
    "words": ("是什么问题", "请具体说说"),
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sent(_Model):
    """One message of a resident; a photo of True carries no position."""

    text: str = ""
    photo: bool | Point = False
    point: Point | None = None


Message = Annotated[Sent, BeforeValidator(lambda v: {"text": v} if isinstance(v, str) else v)]


class Expected(_Model):
    """What the ticket must say."""

    category: str
    address: str | None = None
    point: Point | None = None
    phone: str | None = None
    name: str | None = None


class Script(_Model):
    """One resident: what he sends of his own accord, and the facts he answers from."""

    name: str
    who: str
    channel: str
    way: str
    opening: tuple[Message, ...]
    words: Message | None = None
    place: Message | None = None
    place_again: Message | None = None
    holds: Message | None = None
    aside: Message | None = None
    fixes: tuple[Message, ...] = ()
    ambiguous: bool = False
    expect: Expected


@dataclass
class Result:
    """How one script went; ``faults`` are in words."""

    script: Script
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def play(script: Script, citizen: Citizen) -> Result:
    """Play one script until its ticket card appears."""
    result = Result(script)
    try:
        _play(script, citizen, result)
    except AssertionError as error:  # the product did not answer
        result.faults.append(str(error)[:300])
    return result


def _play(script: Script, citizen: Citizen, result: Result) -> None:
    fixes = list(script.fixes)
    aside = script.aside
    for message in script.opening:
        heard = _send(citizen, message, result)
    for _ in range(MOST_TURNS):
        if heard.cards("ticket"):
            _check(heard.card("ticket")["id"], result)
            return
        kind = _question(heard) or _still_open(heard, result)
        if kind is None:
            break
        if aside is not None:
            heard = _send(citizen, aside, result, counts=False)
            aside = None
        elif kind == "confirm" and not fixes:
            wrong = _wrong_category(heard, script)
            if wrong and wrong not in result.said:
                heard = _send(citizen, Sent(text=wrong), result)
            else:
                heard = _noted(_confirm(citizen, script), result)
        elif kind == "options":
            heard = _noted(_choose(citizen, script), result)
        else:
            answer = fixes.pop(0) if kind == "confirm" else _answer(script, kind, result)
            if answer is None:
                break
            heard = _send(citizen, answer, result)
    result.faults.append(f"no ticket; last heard {heard.text[:80]!r}")


def _send(citizen: Citizen, message: Sent, result: Result, *, counts: bool = True) -> Heard:
    attached = []
    if message.photo:
        attached.append(photo(jpeg(None if message.photo is True else message.photo or None)))
    if message.point:
        attached.append(location(*message.point))
    result.said.append(message.text or "（附件）")
    return _noted(citizen.say(message.text, *attached), result, counts=counts)


def _noted(heard: Heard, result: Result, *, counts: bool = True) -> Heard:
    kind = _question(heard)
    if kind is not None and counts:
        result.asked.append(kind)
    result.said.append(f"  → {heard.text}")
    return heard


def _question(heard: Heard) -> str | None:
    """Return what a reply asks for; None when it asks nothing."""
    marks = ((kind, mark) for kind, marks in _ASKS.items() for mark in marks)
    return next((kind for kind, mark in marks if mark in heard.text), None)


def _still_open(heard: Heard, result: Result) -> str | None:
    """Return the question that one more photo of an album left open."""
    return result.asked[-1] if result.asked and "照片收到了" in heard.text else None


def _answer(script: Script, kind: str, result: Result) -> Sent | None:
    if kind == "which":
        return script.holds
    if kind == "words":
        return script.words
    again = result.asked.count("place") + result.asked.count("options") > 1
    return (script.place_again if again else None) or script.place


def _wrong_category(heard: Heard, script: Script) -> str | None:
    """Return what a resident says who sees another category than his, and no button for it."""
    code = script.expect.category
    name = load_categories(get_settings().categories_file)[code].name
    if "类别：" not in heard.text:
        return None
    offered = any(f'"category": "{code}"' in payload for payload in heard.buttons.values())
    return None if offered or f"类别：{name}\n" in heard.text else f"类别改成{name}"


def _confirm(citizen: Citizen, script: Script) -> Heard:
    """Confirm; where a category must be chosen, choose the right one if it is there."""
    buttons = citizen.buttons
    right = [t for t, p in buttons.items() if f'"category": "{script.expect.category}"' in p]
    if "确认提交" not in buttons and right:
        return citizen.press(right[0])
    return citizen.confirm()


def _choose(citizen: Citizen, script: Script) -> Heard:
    """Press the option that is meant; say the place again when none is."""
    wanted = script.expect.address or "\0"
    fitting = [title for title in citizen.buttons if wanted in title]
    if fitting:
        return citizen.press(fitting[0])
    again = script.place_again or script.place
    return citizen.say(again.text if again else "都不是")


def _check(ticket_id: str, result: Result) -> None:
    expect = result.script.expect
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        reader = {"actor": "benchmark", "purpose": "intake"}
        address = str(reveal(session, ticket, "address", **reader))
        contact = reveal(session, ticket, "contact", **reader) or {}
        description = str(reveal(session, ticket, "description", **reader))
    if ticket.category != expect.category:
        result.faults.append(f"category {ticket.category}, not {expect.category}")
    if expect.address and expect.address not in address:
        result.faults.append(f"place {address}, not {expect.address}")
    if expect.point and not _near(expect.point, (ticket.latitude, ticket.longitude)):
        result.faults.append(f"point {ticket.latitude}, {ticket.longitude}: {address}")
    if (contact.get("phone"), contact.get("name")) != (expect.phone, expect.name):
        result.faults.append(f"contact {contact}")
    if expect.phone and expect.phone in description:
        result.faults.append("the phone number is in the description")


def _near(wanted: Point, found: tuple[float | None, float | None]) -> bool:
    if found[0] is None or found[1] is None:
        return False
    north = (found[0] - wanted[0]) * 111_320
    east = (found[1] - wanted[1]) * 111_320 * cos(radians(wanted[0]))
    return hypot(north, east) <= NEAR_METRES


def report(results: list[Result]) -> bool:
    """Print the figures; return whether every target is met."""
    counts = [len(result.asked) for result in results]
    median = statistics.median(counts)
    print(f"scripts {len(results)}, questions: median {median:g}, most {max(counts)}")
    ways: dict[str, list[int]] = defaultdict(list)
    for result in results:
        ways[result.script.way].append(len(result.asked))
    print("\n| how the place is told | scripts | mean | most |\n|---|---|---|---|")
    for way, numbers in sorted(ways.items(), key=lambda pair: statistics.mean(pair[1])):
        print(f"| {way} | {len(numbers)} | {statistics.mean(numbers):.2f} | {max(numbers)} |")
    reasons: dict[str, int] = defaultdict(int)
    for result in results:
        for kind in result.asked:
            reasons[kind] += 1
    print("\n| asked for | times |\n|---|---|")
    for kind, times in sorted(reasons.items(), key=lambda pair: -pair[1]):
        print(f"| {kind} | {times} |")
    bad = [r for r in results if r.faults]
    many = [r for r in results if len(r.asked) > MOST_TARGET and not r.script.ambiguous]
    print(f"\nfiled rightly {len(results) - len(bad)} of {len(results)}")
    for result in [*bad, *(r for r in many if r not in bad)]:
        print(f"\n{result.script.name}: asked {result.asked} {'; '.join(result.faults)}")
        print("\n".join(result.said))
    return median <= MEDIAN_TARGET and not many and not bad


@contextmanager
def product() -> Iterator[Stack]:
    """Start the product in a folder of its own, and read its store in this process."""
    with tempfile.TemporaryDirectory(prefix="shimin-intake-") as folder:
        stack = Stack(Path(folder), stack_environment(Path(folder)))
        os.environ.update(stack.settings)
        get_settings.cache_clear()
        try:
            stack.start_all()
            yield stack
        finally:
            stack.stop_all()


@dataclass
class _Resident(Citizen):
    """A citizen on the channel of his script."""

    channel: str = "api"

    def post(self, text: str, attachments: Any = ()) -> httpx.Response:
        body = {
            "conversation_id": self.name,
            "channel": self.channel,
            "text": text,
            "attachments": list(attachments),
        }
        return self.http.post("/api/v1/messages", json=body)


def main() -> int:
    """Play the scripts and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="part of a script's name")
    only = parser.parse_args().only
    rows = yaml.safe_load(SCRIPTS.read_text("utf-8"))["scripts"]
    scripts = [Script.model_validate(row) for row in rows]
    scripts = [script for script in scripts if not only or only in script.name]
    results = []
    with product() as stack:
        key = stack.settings["SHIMIN_API_KEY"]
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=stack.url, timeout=60, headers=headers) as http:
            for number, script in enumerate(scripts):
                resident = _Resident(stack, http, f"script-{number}", channel=script.channel)
                results.append(play(script, resident))
    return 0 if report(results) else 1


if __name__ == "__main__":
    sys.exit(main())
