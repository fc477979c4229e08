"""``shimin db``, ``shimin outbox`` and ``shimin export-audit``."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer
from sqlalchemy import select

from store.database import reading, unit_of_work, upgrade
from store.models import AuditEntry, OutboxEntry, utc_now
from store.tickets import dead_letters, outbox_summary

db = typer.Typer(no_args_is_help=True)
outbox = typer.Typer(no_args_is_help=True)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest migration."""
    upgrade()
    typer.echo("database is up to date")


@outbox.command("list")
def outbox_list() -> None:
    """Count entries by state and list what the dispatch system refused."""
    with reading() as session:
        for state, count in sorted(outbox_summary(session).items()):
            typer.echo(f"{state}: {count}")
        for entry in dead_letters(session):
            typer.echo(f"dead {entry.id} {entry.kind} ticket={entry.ticket_id} {entry.last_error}")


@outbox.command("retry")
def outbox_retry(
    entry_id: Annotated[int | None, typer.Argument(help="Number from the list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every refused entry.")] = False,
) -> None:
    """Send a refused entry again, or all of them."""
    if everything == (entry_id is not None):
        raise typer.BadParameter("give the number of an entry or --all")
    if entry_id is None:
        with unit_of_work() as session:
            refused = dead_letters(session)
            for letter in refused:
                _revive(letter)
        typer.echo(f"{len(refused)} entries will be sent again")
        return
    with unit_of_work() as session:
        entry = session.get(OutboxEntry, entry_id)
        if entry is None or entry.state != "dead":
            typer.echo(f"entry {entry_id} is not a dead letter", err=True)
            raise typer.Exit(2)
        _revive(entry)
    typer.echo(f"entry {entry_id} will be sent again")


def _revive(entry: OutboxEntry) -> None:
    entry.state, entry.due_at = "pending", utc_now()


def export_audit() -> None:
    """Write the audit of personal data reads as CSV to standard output."""
    writer = csv.writer(sys.stdout)
    writer.writerow(["id", "at", "actor", "purpose", "record", "field"])
    with reading() as session:
        for row in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
            writer.writerow(
                [row.id, row.at.isoformat(), row.actor, row.purpose, row.record, row.field]
            )
