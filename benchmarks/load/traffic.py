"""Saying and filing what the plan holds, and noting how long each answer took."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import aiohttp
import httpx

from benchmarks.faults.citizen import Citizen
from benchmarks.faults.evidence import Databases
from benchmarks.faults.script import complaints
from benchmarks.load.plan import Said
from tests.stack import Stack

PATIENCE_SECONDS = 60.0
DESK_SECONDS = 120.0
DESK_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class Answered:
    """One answer: the second of the run its message was due at, its kind, how long it took."""

    at: float
    kind: str
    seconds: float


@dataclass
class Seen:
    """What came of messages: answers, and refusals by status or error."""

    answers: list[Answered] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)


def say_all(stack: Stack, plan: Sequence[Said]) -> Seen:
    """Send each text message at its moment; return when all are answered or given up."""
    return asyncio.run(_say_all(stack, plan))


async def _say_all(stack: Stack, plan: Sequence[Said]) -> Seen:
    """Send with aiohttp: what the sender takes of the processor the product cannot have."""
    seen = Seen()
    patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(stack.url, headers=_key(stack), timeout=patience) as http:
        began = time.monotonic()

        async def send(said: Said) -> None:
            body = {"conversation_id": said.conversation, "channel": "api", "text": said.text}
            try:
                async with http.post("/api/v1/messages", json=body) as answer:
                    await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                seen.failed[type(error).__name__] += 1
                return
            if answer.status == 200:
                took = time.monotonic() - began - said.at
                seen.answers.append(Answered(said.at, said.kind, took))
            else:
                seen.failed[str(answer.status)] += 1

        async with asyncio.TaskGroup() as sending:
            for said in plan:
                await asyncio.sleep(max(0.0, began + said.at - time.monotonic()))
                sending.create_task(send(said))
    return seen


def file_all(
    stack: Stack, number: int, seconds: float, seed: int, prefix: str
) -> tuple[list[Citizen], Seen]:
    """Let ``number`` citizens file complaints, evenly over the time; every third has a photo."""
    noting = _Noting()
    with (
        httpx.Client(
            base_url=stack.url, headers=_key(stack), timeout=PATIENCE_SECONDS, transport=noting
        ) as http,
        ThreadPoolExecutor(16) as pool,
    ):
        began, ending = time.monotonic(), threading.Event()
        citizens = [
            Citizen(told, http, random.Random(seed + n), seconds + PATIENCE_SECONDS)
            for n, told in enumerate(complaints(number, seed, f"{prefix}-complaint"))
        ]
        for n, citizen in enumerate(citizens):
            time.sleep(max(0.0, began + seconds * n / number - time.monotonic()))
            pool.submit(citizen.file, ending)
    return citizens, noting.seen


class _Noting(httpx.HTTPTransport):
    """Notes how long each answer to a citizen with a complaint took."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_connections=16))
        self.seen = Seen()
        self._began = time.monotonic()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = time.monotonic()
        try:
            response = super().handle_request(request)
            response.read()
        except httpx.HTTPError as error:
            self.seen.failed[type(error).__name__] += 1
            raise
        if response.status_code == 200:
            answered = Answered(sent - self._began, _step(request), time.monotonic() - sent)
            self.seen.answers.append(answered)
        else:
            self.seen.failed[str(response.status_code)] += 1
        return response


def _step(request: httpx.Request) -> str:
    """Say where in the filing of a complaint a message stands."""
    attachments = json.loads(request.content)["attachments"]
    if any(attachment["type"] == "photo" for attachment in attachments):
        return "complaint, told with a photo"
    return "complaint, told" if attachments else "complaint, confirmed"


def lost_complaints(desk: Databases, citizens: Sequence[Citizen]) -> list[str]:
    """Return what is wrong with the complaints: each has one ticket, which is at the desk once.

    Waits for the relay to bring them there.

    Args:
        desk: opened before the first was told.
        citizens: who told them.
    """
    tickets = {ticket for citizen in citizens for ticket in citizen.tickets}
    wrong = {
        "not filed": sum(not citizen.tickets for citizen in citizens),
        "with more than one ticket": sum(len(citizen.tickets) > 1 for citizen in citizens),
    }
    deadline = time.monotonic() + DESK_SECONDS
    while tickets - (there := Counter(case.ticket for case in desk.cases())).keys():
        if time.monotonic() > deadline:
            break
        time.sleep(DESK_PAUSE_SECONDS)
    wrong["not at the desk"] = len(tickets - there.keys())
    wrong["at the desk more than once"] = sum(number > 1 for number in there.values())
    wrong["at the desk that nobody was told of"] = len(there.keys() - tickets)
    return [f"{number} complaints {what}" for what, number in wrong.items() if number]


def _key(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.settings['SHIMIN_API_KEY']}"}
