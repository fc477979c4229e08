"""``shimin audit``: does the chain of the audit hold, and where does it end."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from base.settings import get_settings

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(
    known: Annotated[
        Path | None, typer.Option("--anchor", help="An earlier head that must be in the chain.")
    ] = None,
) -> None:
    """Compute the chain of hashes again; name the first broken entry and end with code 1.

    What was found joins the audit, and the console shows it.
    """
    from store import audit
    from store.accounts import OPERATOR
    from store.audit_search import note_check
    from store.database import reading, unit_of_work

    secret = get_settings().audit_key.get_secret_value()
    anchor = audit.read_anchor(known.read_text("utf-8"), secret) if known else None
    with reading() as session:
        found = audit.verify(session, anchor)
    with unit_of_work() as session:
        note_check(session, OPERATOR, found, whole=True)
    if found.broken is not None:
        typer.echo(f"entry {found.broken}: {found.why} ({found.entries} before it hold)", err=True)
        raise typer.Exit(1)
    typer.echo(f"the chain holds: {found.entries} entries")


@app.command()
def anchor() -> None:
    """Write the signed end of the chain to standard output: keep it where the city's IT cannot.

    Signed with SHIMIN_AUDIT_KEY (Ed25519).
    """
    from store import audit
    from store.database import reading
    from store.models import utc_now

    secret = get_settings().audit_key.get_secret_value()
    with reading() as session:
        made = audit.anchor(session, secret, utc_now())
    typer.echo(json.dumps(asdict(made), indent=2))
