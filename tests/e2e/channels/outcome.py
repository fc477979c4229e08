"""What a conversation has left behind: in the store of the citizens' side, and at the desk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import httpx

from tests.e2e.driver import ANSWER_SECONDS
from tests.stack import Stack
from tests.waiting import WAIT_SECONDS, wait_until

Outcome = dict[str, Any]
_TICKETS = """
    SELECT id, category, status, rating, external_id,
        (SELECT count(*) FROM media WHERE ticket_id = tickets.id AND role = 'report') AS photos
    FROM tickets WHERE citizen_id = ? ORDER BY id
"""
_BESIDES = {
    "handover": "SELECT state FROM handovers WHERE citizen_id = ? ORDER BY id DESC LIMIT 1",
    "subscribed": "SELECT count(*) FROM subscriptions WHERE citizen_id = ? AND ended_at IS NULL",
    "drafts": "SELECT count(*) FROM open_drafts WHERE citizen_id = ?",
    "profile": "SELECT count(*) FROM citizens WHERE id = ? AND profile IS NOT NULL",
}


def wait_outcome(stack: Stack, citizen: str, expected: Outcome) -> None:
    """Wait until a conversation has come to exactly this end; see :func:`outcome`."""
    last: list[Outcome] = []

    def reached() -> bool:
        last[:] = [outcome(stack, citizen)]
        return last[0] == expected

    try:
        wait_until(reached, "the outcome", ANSWER_SECONDS, pause=0.3)
    except AssertionError:
        assert last[0] == expected  # shows what differs
        raise


def outcome(stack: Stack, citizen: str) -> Outcome:
    """Return ``tickets``, and of the rest what there is: nothing is named that did not happen.

    A ticket has ``category``, ``status``, ``photos`` and, as far as there is one, ``rating``. What
    the desk has of it comes from the desk: ``photos``, ``place`` (the address, or ``[latitude,
    longitude]`` in thousandths of a degree where none was told).
    """
    found: Outcome = {"tickets": [_ticket(stack, row) for row in _rows(stack, _TICKETS, citizen)]}
    for name, sql in _BESIDES.items():
        value = next((row[0] for row in _rows(stack, sql, citizen)), None)
        if value:
            found[name] = value
    return found


def _rows(stack: Stack, sql: str, name: str) -> list[sqlite3.Row]:
    """Read the store without a chance to change it."""
    path = stack.folder / "shimin.db"
    with closing(
        sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=WAIT_SECONDS)
    ) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, (name,)).fetchall()


def _ticket(stack: Stack, row: sqlite3.Row) -> dict[str, Any]:
    """Join what both sides have of a ticket; before it is at the desk there is no ``place``."""
    ticket = {name: row[name] for name in ("category", "status", "photos")}
    if row["rating"] is not None:
        ticket["rating"] = row["rating"]
    if row["external_id"] is None:
        return ticket
    request = desk_request(stack, row["external_id"])
    media = (request["media_url"] or "").split()
    point = [round(request["lat"], 3), round(request["long"], 3)]
    assert request["service_code"] == ticket["category"]
    return ticket | {"photos": len(media), "place": request["address"] or point}


def case_of(stack: Stack, ticket: str) -> str:
    """Wait until a ticket is at the desk, and return its id there."""
    sql = "SELECT external_id FROM tickets WHERE id = ?"

    def at_desk() -> str | None:
        (row,) = _rows(stack, sql, ticket)
        return row["external_id"]

    return str(wait_until(at_desk, f"ticket {ticket} at the desk"))


def desk_request(stack: Stack, request_id: str) -> dict[str, Any]:
    """Return what the desk was told (GeoReport v2)."""
    answer = httpx.get(f"{stack.desk_url}/requests/{request_id}.json", timeout=WAIT_SECONDS)
    answer.raise_for_status()
    request: dict[str, Any] = answer.json()[0]
    return request
