"""Holds what happened against what the product promises."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from base.identity import citizen_id
from benchmarks.faults.citizen import Citizen
from benchmarks.faults.evidence import DeskCase, DeskEvent, Letter, TicketRow
from dispatch.case.lifecycle import STATUS_NAMES

Inbox = Sequence[tuple[int, list[dict[str, Any]]]]

AT_THE_END = {
    "CLOSED": "closed",
    "NO_FURTHER_ACTION": "rejected",
}
"""Where a ticket must stand when its case at the desk has ended so."""

UNREADABLE = ("not JSON", "not XML")
"""How the reasons of dead letters begin that half an answer explains: the desk may have taken
what was sent, and the relay leaves it to an operator (dispatch/open311/errors.py)."""


@dataclass(frozen=True)
class Evidence:
    """All that is judged.

    The citizens hold the messages their clients took while things were failing,
    ``stored`` what the API gives when everything is asked for again at the end. ``letters`` have
    not been sent, ``revived`` were dead until an operator sent them again.
    """

    citizens: Sequence[Citizen]
    tickets: Sequence[TicketRow]
    cases: Sequence[DeskCase]
    events: Sequence[DeskEvent]
    letters: Sequence[Letter]
    revived: Sequence[Letter]
    stored: Mapping[str, Inbox]
    crashes: Sequence[str]


@dataclass
class Verdict:
    """Counts, and every broken promise in words. ``failures`` is empty for a good run."""

    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def must_be_none(self, what: str, names: Iterable[str]) -> None:
        """Count names that must not be there; those that are break a promise."""
        found = sorted(names)
        self.counts[what] = len(found)
        if found:
            shown = ", ".join(found[:10]) + (" …" if len(found) > 10 else "")
            self.failures.append(f"{what}: {len(found)} ({shown})")


def judge(evidence: Evidence) -> Verdict:
    """Return what was kept of the promises and what was not."""
    verdict = Verdict()
    _complaints(evidence, verdict)
    _cases(evidence, verdict)
    _status_events(evidence, verdict)
    _left_behind(evidence, verdict)
    return verdict


def _complaints(evidence: Evidence, verdict: Verdict) -> None:
    """Every acknowledged complaint is at the desk exactly once."""
    filed = {ticket.ticket_id for ticket in evidence.tickets}
    shown = {ticket for citizen in evidence.citizens for ticket in citizen.tickets}
    owners = Counter(ticket.citizen for ticket in evidence.tickets)
    at_desk = Counter(case.ticket for case in evidence.cases if case.ticket)
    verdict.counts["complaints told"] = len(evidence.citizens)
    verdict.counts["acknowledged to the citizen"] = len(shown)
    late = sum(citizen.learned_late for citizen in evidence.citizens)
    verdict.counts["of these learned by asking for the ticket"] = late
    verdict.counts["filed but never acknowledged"] = len(filed - shown)
    verdict.counts["at the desk"] = len(evidence.cases)
    gave_up = (c.complaint.conversation for c in evidence.citizens if not c.tickets)
    verdict.must_be_none("citizens who gave up", gave_up)
    verdict.must_be_none("shown a ticket that does not exist", shown - filed)
    twice = (citizen for citizen, number in owners.items() if number > 1)
    verdict.must_be_none("complaints that became two tickets", twice)
    verdict.must_be_none("acknowledged but not at the desk", shown - at_desk.keys())
    verdict.must_be_none("filed but not at the desk", filed - shown - at_desk.keys())
    doubled = (ticket for ticket, number in at_desk.items() if number > 1)
    verdict.must_be_none("at the desk more than once", doubled)


def _cases(evidence: Evidence, verdict: Verdict) -> None:
    """No case without its ticket, and both sides agree on how it ended."""
    by_id = {ticket.ticket_id: ticket for ticket in evidence.tickets}
    orphans, strangers, apart = [], [], []
    for case in evidence.cases:
        ticket = by_id.get(case.ticket or "")
        if ticket is None:
            orphans.append(case.request_id)
        elif ticket.external_id != case.request_id:
            strangers.append(case.request_id)
        elif AT_THE_END.get(case.status) != ticket.status:
            apart.append(f"{ticket.ticket_id} {case.status} / {ticket.status}")
    verdict.must_be_none("desk cases without a ticket", orphans)
    verdict.must_be_none("desk cases their ticket does not know", strangers)
    verdict.must_be_none("not ended, or ended differently on the two sides", apart)


def _status_events(evidence: Evidence, verdict: Verdict) -> None:
    """Every step of the desk reached its citizen exactly once and in order."""
    taken = {c.complaint.conversation: c.inbox for c in evidence.citizens}
    steps: dict[str, list[str]] = defaultdict(list)
    for event in evidence.events:
        steps[event.request_id].append(event.words)
    conversations = {
        citizen_id("api", c.complaint.conversation): c.complaint.conversation
        for c in evidence.citizens
    }
    heard = 0
    missing, doubled, disordered, forwarded = [], [], [], []
    for ticket in evidence.tickets:
        conversation = conversations[ticket.citizen]
        expected = steps.get(ticket.external_id or "", [])
        told = _told(taken[conversation], expected)
        heard += len(set(told))
        missing += [words for words in expected if words not in told]
        doubled += [words for words, number in Counter(told).items() if number > 1]
        if list(dict.fromkeys(told)) != [words for words in expected if words in told]:
            disordered.append(ticket.ticket_id)
        if _times_forwarded(taken[conversation], ticket.ticket_id) != 1:
            forwarded.append(ticket.ticket_id)
    verdict.counts["status events at the desk"] = len(evidence.events)
    verdict.counts["status events received"] = heard
    verdict.must_be_none("status events missing", missing)
    verdict.must_be_none("status events received twice", doubled)
    verdict.must_be_none("tickets with status events out of order", disordered)
    verdict.must_be_none("not told exactly once that it was passed on", forwarded)
    differing = (name for name, inbox in taken.items() if inbox != evidence.stored[name])
    verdict.must_be_none("inboxes that changed between two readings", differing)


def _told(inbox: Inbox, expected: Sequence[str]) -> list[str]:
    """Return the words of ``expected`` in the order in which the inbox says them."""
    found = []
    for _, replies in inbox:
        text = "\n".join(str(reply["text"]) for reply in replies)
        found += [words for words in expected if words in text]
    return found


def _times_forwarded(inbox: Inbox, ticket_id: str) -> int:
    cards = [card for _, replies in inbox for reply in replies for card in reply["cards"]]
    passed_on = STATUS_NAMES["forwarded"]
    return sum(c["id"] == ticket_id and c["fields"].get("状态") == passed_on for c in cards)


def _left_behind(evidence: Evidence, verdict: Verdict) -> None:
    """Nothing waits, nothing is dead, nobody fell over by himself."""
    pending = (_name(letter) for letter in evidence.letters if letter.state == "pending")
    dead = (_name(letter) for letter in evidence.letters if letter.state == "dead")
    verdict.must_be_none("outbox entries still waiting", pending)
    verdict.must_be_none("dead letters", dead)
    verdict.counts["dead letters an operator sent again"] = len(evidence.revived)
    unexplained = (
        _name(letter)
        for letter in evidence.revived
        if not (letter.error or "").startswith(UNREADABLE)
    )
    verdict.must_be_none("of these not for an answer that made no sense", unexplained)
    waiting = (event.words for event in evidence.events if not event.delivered)
    verdict.must_be_none("webhooks still waiting at the desk", waiting)
    verdict.must_be_none("processes that ended by themselves", evidence.crashes)


def _name(letter: Letter) -> str:
    return json.dumps([letter.ticket_id, letter.kind, letter.attempts, letter.error])
