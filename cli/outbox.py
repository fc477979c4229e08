"""``shimin outbox``: what still has to reach the dispatch system, and what it refused.

Nothing here shows what a citizen said: numbers, states and error codes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from base.calendar import CITY_TIME
from store.database import reading, unit_of_work
from store.models import OutboxEntry, Ticket, utc_now
from store.outbox import backlog, find_entries, revive, usual_spread
from store.tickets import outbox_summary

app = typer.Typer(no_args_is_help=True)


class State(StrEnum):
    """States of an entry."""

    pending = "pending"
    sent = "sent"
    dead = "dead"


TicketOption = Annotated[str | None, typer.Option("--ticket", help="Only this ticket's.")]


@app.command("list")
def list_entries(
    ticket: TicketOption = None,
    state: Annotated[State | None, typer.Option("--state", help="Only this state.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many lines.", min=1)] = 100,
) -> None:
    """Count entries by state, say what waits and why, and list entries.

    Without a choice it lists what the dispatch system refused.
    """
    with reading() as session:
        for name, count in sorted(outbox_summary(session).items()):
            typer.echo(f"{name}: {count}")
        found = backlog(session)
        if found.oldest is not None:
            age = _span(utc_now() - found.oldest)
            trouble = f", {found.tried} tried in vain: {found.error}" if found.tried else ""
            typer.echo(f"oldest pending: {age}{trouble}")
        chosen = state.value if state else None if ticket else "dead"
        for entry in find_entries(session, state=chosen, ticket_id=ticket, limit=limit):
            typer.echo(_line(entry))


@app.command("show")
def show(entry_id: Annotated[int, typer.Argument(help="Number from the list.")]) -> None:
    """Show one entry and how its ticket stands."""
    with reading() as session:
        entry = session.get(OutboxEntry, entry_id)
        if entry is None:
            _refuse(f"there is no entry {entry_id}")
        ticket = session.get_one(Ticket, entry.ticket_id)
        fields = {
            "entry": entry.id,
            "kind": entry.kind,
            "state": entry.state,
            "key": entry.idempotency_key,
            "queued": _moment(entry.created_at),
            "due": _moment(entry.due_at),
            "attempts": entry.attempts,
            "last error": entry.last_error or "-",
            "ticket": ticket.id,
            "ticket status": ticket.status,
            "category": ticket.category,
            "unit": ticket.department,
            "request at the dispatch system": ticket.external_id or "-",
        }
    for name, value in fields.items():
        typer.echo(f"{name}: {value}")


@app.command("retry")
def retry(
    entry_id: Annotated[int | None, typer.Argument(help="Number from the list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every refused entry.")] = False,
    ticket: TicketOption = None,
    over: Annotated[
        float | None,
        typer.Option(
            "--over",
            help="Spread the sending over so many seconds; default: half a second an entry, "
            "at most ten minutes.",
            min=0,
        ),
    ] = None,
) -> None:
    """Send refused entries again: one, a ticket's, or all of them."""
    if [entry_id is not None, everything, ticket is not None].count(True) != 1:
        raise typer.BadParameter("give the number of an entry, --ticket or --all")
    with unit_of_work() as session:
        if entry_id is None:
            refused = find_entries(session, state="dead", ticket_id=ticket)
        else:
            entry = session.get(OutboxEntry, entry_id)
            if entry is None or entry.state != "dead":
                _refuse(f"entry {entry_id} is not a dead letter")
            refused = [entry]
        spread = usual_spread(len(refused)) if over is None else timedelta(seconds=over)
        revive(refused, utc_now(), spread)
    typer.echo(_sent_again(refused, entry_id))


def _sent_again(refused: Sequence[OutboxEntry], entry_id: int | None) -> str:
    if entry_id is not None:
        return f"entry {entry_id} will be sent again"
    return f"{len(refused)} entries will be sent again"


def _refuse(words: str) -> NoReturn:
    typer.echo(words, err=True)
    raise typer.Exit(2)


def _line(entry: OutboxEntry) -> str:
    error = f" {entry.last_error}" if entry.last_error else ""
    tried = f" attempts={entry.attempts} due={_moment(entry.due_at)}"
    when = tried if entry.state == "pending" else ""
    return f"{entry.state} {entry.id} {entry.kind} ticket={entry.ticket_id}{when}{error}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M:%S")


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
