"""A citizen who files one complaint over the Chat API and will not be put off.

What he sends may be lost, and what he is answered too. So he behaves as people do: he sends a
message again when no answer came, and asks for his tickets when he is not sure.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.driver import Attachment

CLIENT_SECONDS = 30.0
PAUSE = (0.5, 2.5)
"""Seconds before a message is sent again, drawn evenly."""
MAX_TURNS = 12
"""Answers to one telling of the complaint before it is told anew."""
FIRST_CHOICES = ("affirm", "choose_category", "choose_place")
"""Buttons that lead on, the best first."""
ASTRAY = (
    "ask_",
    "cancel",
    "change_",
    "check_",
    "choose_policy",
    "choose_service",
    "deny",
    "help",
    "rate_",
    "subscribe",
    "supplement_",
    "unsubscribe",
    "update_",
    "withdraw_",
)
"""How buttons begin that do not; any other is pressed when none of the first choices is there."""
MY_TICKETS = "/check_ticket"


@dataclass(frozen=True)
class Complaint:
    """What one citizen has to say."""

    conversation: str
    words: str
    attachments: tuple[Attachment, ...]


@dataclass
class Citizen:
    """One conversation and everything the citizen's client has seen in it.

    ``tickets`` are the ids on the ticket cards he was shown, ``inbox`` the pushed messages in the
    order in which his client took them, ``resends`` how often he sent something again.
    """

    complaint: Complaint
    http: httpx.Client
    random: random.Random
    giving_up_after: float
    tickets: list[str] = field(default_factory=list)
    learned_late: bool = False
    resends: int = 0
    refusals: list[str] = field(default_factory=list)
    inbox: list[tuple[int, list[dict[str, Any]]]] = field(default_factory=list)

    def file(self, ending: threading.Event) -> None:
        """Tell the complaint until a ticket is shown, or time is up."""
        deadline = time.monotonic() + self.giving_up_after
        while not self.tickets and time.monotonic() < deadline and not ending.is_set():
            self._tell(deadline, ending)
            if not self.tickets:
                ending.wait(self.random.uniform(*PAUSE))

    def read_inbox(self) -> None:
        """Take the messages above the last one seen; a lost answer is asked for again later."""
        after = self.inbox[-1][0] if self.inbox else 0
        messages = fetch_inbox(self.http, self.complaint.conversation, after)
        self.inbox += [(int(m["id"]), list(m["replies"])) for m in messages or ()]

    def _tell(self, deadline: float, ending: threading.Event) -> None:
        """Tell it once and follow where the answers lead."""
        answer, unsure = self._send(self.complaint.words, deadline, ending, first=True)
        for _ in range(MAX_TURNS):
            if answer is None or self._take_tickets(answer):
                return
            button = _leading_on(answer)
            if unsure or button is None:
                answer, _ = self._send(MY_TICKETS, deadline, ending)
                if answer is None:
                    return
                if self._take_tickets(answer):
                    self.learned_late = True
                    return
                button = _leading_on(answer)
            if button is None:
                return
            answer, unsure = self._send(button, deadline, ending)

    def _send(
        self, text: str, deadline: float, ending: threading.Event, *, first: bool = False
    ) -> tuple[dict[str, Any] | None, bool]:
        """Send until there is an answer; tell whether it took more than one try."""
        body = {
            "conversation_id": self.complaint.conversation,
            "channel": "api",
            "text": text,
            "attachments": list(self.complaint.attachments) if first else [],
        }
        tries = 0
        while time.monotonic() < deadline and not ending.is_set():
            try:
                response = self.http.post("/api/v1/messages", json=body)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code == 200:
                answer: dict[str, Any] = response.json()
                return answer, tries > 0
            if response is not None and response.status_code < 500:
                self.refusals.append(f"{response.status_code} {response.text[:200]}")
            tries += 1
            self.resends += 1
            ending.wait(self.random.uniform(*PAUSE))
        return None, tries > 0

    def _take_tickets(self, answer: dict[str, Any]) -> bool:
        shown = [
            str(card["id"])
            for reply in answer["replies"]
            for card in reply["cards"]
            if card["kind"] == "ticket"
        ]
        self.tickets += [ticket for ticket in shown if ticket not in self.tickets]
        return bool(shown)


def fetch_inbox(http: httpx.Client, conversation: str, after: int) -> list[dict[str, Any]] | None:
    """Return the pushed messages above ``after``; None when the gateway did not answer."""
    try:
        response = http.get(
            "/api/v1/messages", params={"conversation_id": conversation, "after": after}
        )
    except httpx.TransportError:
        return None
    if response.status_code != 200:
        return None
    messages: list[dict[str, Any]] = response.json()["messages"]
    return messages


def _leading_on(answer: dict[str, Any]) -> str | None:
    """Return the payload of the button that leads to the ticket, if there is one."""
    payloads = [str(b["payload"]) for reply in answer["replies"] for b in reply["buttons"]]
    for intent in FIRST_CHOICES:
        for payload in payloads:
            if _intent(payload) == intent:
                return payload
    return next(
        (p for p in payloads if p.startswith("/") and not _intent(p).startswith(ASTRAY)), None
    )


def _intent(payload: str) -> str:
    return payload.removeprefix("/").partition("{")[0]
