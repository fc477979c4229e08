"""``shimin db`` and ``shimin export-audit``."""

from __future__ import annotations

import csv
import sys

import typer
from sqlalchemy import select

from base.sheets import cell
from store.database import reading, upgrade
from store.models import AuditEntry

db = typer.Typer(no_args_is_help=True)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest migration."""
    upgrade()
    typer.echo("database is up to date")


def export_audit() -> None:
    """Write the audit of personal data reads as CSV to standard output."""
    writer = csv.writer(sys.stdout)
    writer.writerow(["id", "at", "actor", "purpose", "record", "field", "hash"])
    with reading() as session:
        for row in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
            told = (row.actor, row.purpose, row.record, row.field)
            writer.writerow([row.id, row.at.isoformat(), *map(cell, told), row.hash])
