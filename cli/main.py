"""``shimin``: every command is a thin shell over a room."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from base.errors import ShiminError
from base.logs import configure_logs
from base.settings import get_settings
from cli import (
    agents,
    appointments,
    audit,
    backup,
    channels,
    data,
    keys,
    nlu,
    notices,
    operations,
    outbox,
    policies,
    profiles,
    retention,
    serve,
    services,
    talk,
    tickets,
    wechat,
)
from cli.doctor.command import doctor

app = typer.Typer(
    help="Shimin, a citizen-service assistant.", no_args_is_help=True, add_completion=False
)
app.command("chat")(talk.chat)
app.command("train")(nlu.train)
app.add_typer(nlu.app, name="nlu", help="Understanding.")
app.add_typer(policies.policies, name="policies", help="Policy and service files.")
app.add_typer(services.app, name="services", help="Service items and packages.")
app.command("match")(data.match)
app.add_typer(profiles.profiles, name="profiles")
app.command("simulate")(profiles.simulate)
app.add_typer(operations.db, name="db", help="The database.")
app.add_typer(outbox.app, name="outbox", help="What the dispatch system must still hear.")
app.add_typer(notices.app, name="notices", help="Policies that find people.")
app.add_typer(appointments.app, name="appointments", help="Appointments at halls.")
app.add_typer(tickets.tickets, name="tickets", help="Tickets for other systems.")
app.add_typer(agents.app, name="agents", help="Who answers citizens in person.")
app.add_typer(channels.app, name="channels", help="Platforms that push messages.")
app.add_typer(keys.app, name="keys")
app.command("doctor")(doctor)
app.command("backup")(backup.backup)
app.command("backup-key")(backup.backup_key)
app.command("restore")(backup.restore_backup)
app.add_typer(wechat.app, name="wechat", help="The WeChat official account.")
app.command("export-audit")(operations.export_audit)
app.add_typer(audit.app, name="audit", help="The record of reads of personal data.")
app.add_typer(retention.app, name="retention")
app.add_typer(serve.app, name="serve", help="Run one of the processes.")


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every step.")] = False,
) -> None:
    configure_logs(level=10 if verbose else 20, form=get_settings().log_format)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; our own errors end it with one line and code 2."""
    try:
        return app(arguments)
    except ShiminError as error:
        sys.stderr.write(f"shimin: {error.message} [{error.code}] {error.detail}\n")
        raise SystemExit(2) from error
