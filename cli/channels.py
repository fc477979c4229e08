"""``shimin channels``: what came in and goes out on platforms, and what was given up.

Nothing here shows what a citizen said: numbers, states and error codes only.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from base.calendar import CITY_TIME
from base.settings import get_settings
from store.channel_models import IncomingMessage
from store.database import reading, unit_of_work
from store.incoming import dead_incoming, revive_incoming
from store.models import OutgoingMessage, utc_now
from store.outgoing import dead_outgoing, revive_outgoing
from store.traffic import traffic

app = typer.Typer(no_args_is_help=True)


class Way(StrEnum):
    """Which of the two queues."""

    received = "received"
    outgoing = "outgoing"


@app.command("list")
def list_channels(
    limit: Annotated[int, typer.Option(help="At most so many lines of each kind.", min=1)] = 50,
) -> None:
    """Name the channels with the capabilities and the queues of each; list what was given up."""
    from channels.seam.registry import configured_channels

    channels = {channel.name: channel for channel in configured_channels(get_settings())}
    if not channels:
        typer.echo("no channel is configured: see docs/channels.md")
    with reading() as session:
        for name, seen in traffic(session, channels).items():
            typer.echo(f"{name}: {', '.join(sorted(channels[name].capabilities))}")
            for way, counts in (("received", seen.received), ("outgoing", seen.outgoing)):
                shown = ", ".join(f"{state} {n}" for state, n in sorted(counts.items()))
                typer.echo(f"  {way}: {shown or 'nothing'}")
        for received in dead_incoming(session, limit):
            typer.echo(_dead(Way.received, received, received.received_at))
        for outgoing in dead_outgoing(session, limit):
            typer.echo(_dead(Way.outgoing, outgoing, outgoing.created_at))


@app.command("retry")
def retry(
    way: Annotated[Way, typer.Argument(help="Which queue.")],
    message_id: Annotated[int, typer.Argument(help="Number from the list.")],
) -> None:
    """Handle or send a message again that was given up."""
    with unit_of_work() as session:
        revive = revive_incoming if way is Way.received else revive_outgoing
        found = revive(session, message_id, utc_now())
    if not found:
        typer.echo(f"{way.value} message {message_id} was not given up", err=True)
        raise typer.Exit(2)
    typer.echo(f"{way.value} message {message_id} is tried again")


def _dead(way: Way, row: IncomingMessage | OutgoingMessage, moment: datetime) -> str:
    when = moment.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M:%S")
    return f"dead {way.value} {row.id} {row.channel} {when} {row.last_error or '-'}"
