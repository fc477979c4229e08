"""``shimin retention``: forget what has been kept long enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from base.settings import get_settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Forget what has been kept long enough (docs/privacy.md)."""


@app.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
) -> None:
    """Delete what is over its period, as the relay does every day, and print how many of each.

    Conversations come last: while Rasa's database is away, the rest is done all the same.
    """
    from store.conversations import NAME, count_before, forget_before
    from store.database import reading, unit_of_work
    from store.models import utc_now
    from store.retention import due, forget_due, periods

    settings, now = get_settings(), utc_now()
    if dry_run:
        with reading() as session:
            counts = due(session, settings, now)
    else:
        with unit_of_work() as session:
            counts = forget_due(session, settings, now)
    for period in periods(settings):
        typer.echo(f"{period.name}: {counts[period.name]} older than {period.days} days")
    days = settings.conversation_keep_days
    conversations = count_before if dry_run else forget_before
    events = conversations(settings.tracker_url, now - timedelta(days=days))
    typer.echo(f"{NAME}: {events} older than {days} days")
