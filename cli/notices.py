"""``shimin notices``: who is told of which policies, what became of it, and contacts.

Nothing here shows a person: counts, and ids that only this installation can recognise.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import json
import re
import sys
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from base.settings import get_settings
from store.models import utc_now

if TYPE_CHECKING:
    from channels.notices.rounds import Tally

app = typer.Typer(no_args_is_help=True)
contacts = typer.Typer(no_args_is_help=True)
app.add_typer(contacts, name="contact", help="Addresses outside the chat.")

_SUBJECT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,29}:[^\s\x00-\x1f\x7f]{1,100}")

Subject = Annotated[str, typer.Option("--subject", help="Whose: an id such as enterprise:A1.")]
Channel = Annotated[str, typer.Option("--channel", help="email, wecom, dingtalk or feishu.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.command()
def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be told; write and send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at everybody who wants to hear of policies, write what is due and send it."""
    from channels.notices.delivery import Deliveries
    from channels.notices.manners import Manners
    from channels.notices.rounds import Rounds
    from channels.notices.shelf import Shelf

    settings, now = get_settings(), utc_now()
    shelf = Shelf(settings.policies_dir)
    tally = Rounds(shelf, Manners.of(settings)).look(now, dry=dry_run)
    sent = 0 if dry_run else Deliveries(settings, shelf).send_due(now)
    result = _result(tally, sent, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    typer.echo(
        f"{'dry run: ' if dry_run else ''}looked at {result['looked_at']} people, "
        f"{len(result['people'])} told, {sent} messages left the house"
    )
    for row in result["policies"]:
        typer.echo(
            f"{row['policy']} {row['trigger']}: {row['told']} told, {row['waiting']} waiting"
        )
    for person, count in result["people"].items():
        typer.echo(f"  {person}: {count}")


@app.command("report")
def show_report(
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a CSV file.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with charts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count who qualifies, knows, was notified, opened and applied, by policy and group.

    What is read of people is audited under ``official:<operating-system user>``.
    """
    from channels.notices.report import COLUMNS, report
    from channels.notices.report_page import write_csv, write_report_page
    from channels.notices.shelf import Shelf

    policies = Shelf(get_settings().policies_dir).policies()
    rows = report(policies, utc_now(), f"official:{getpass.getuser()}")
    titles = {policy.id: policy.title for policy in policies.all}
    if csv is not None:
        write_csv(rows, titles, csv)
    if html is not None:
        write_report_page(rows, titles, html)
    if as_json:
        found = [{"policy": r.policy, **asdict(r.group), **r.figures} for r in rows]
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif csv is None and html is None:
        typer.echo("\t".join(("policy", "audience", "axis", "group", *COLUMNS)))
        for row in rows:
            where = (row.policy or "*", row.group.audience, row.group.axis or "*", row.group.label)
            typer.echo("\t".join((*where, *(row.figures[name] for name in COLUMNS))))


@app.command()
def deliveries() -> None:
    """Count messages by channel and state, and say why the failed ones failed."""
    from store.database import reading
    from store.notices import count_deliveries, find_deliveries

    with reading() as session:
        for (channel, state), count in count_deliveries(session).items():
            typer.echo(f"{channel} {state}: {count}")
        reasons = Counter(
            (d.channel, d.last_error or "-") for d in find_deliveries(session, "failed")
        )
    for (channel, reason), count in reasons.most_common():
        typer.echo(f"failed on {channel}: {count} × {reason}")


@app.command()
def retry() -> None:
    """Send failed messages again, those that are still true."""
    from store.database import unit_of_work
    from store.notices import revive_failed

    with unit_of_work() as session:
        count = revive_failed(session, utc_now())
    typer.echo(f"{count} messages will be sent again")


@contacts.command("add")
def add(  # noqa: PLR0913
    subject: Subject,
    channel: Channel,
    address: Annotated[
        str, typer.Option("--address", help="The address, or - to read it from standard input.")
    ],
    consent: Annotated[str, typer.Option("--consent", help="How and when they agreed.")],
    secret: Annotated[
        str, typer.Option("--secret", help="Signing secret of a robot, or - for standard input.")
    ] = "",
    profile: Annotated[
        Path | None, typer.Option("--profile", help="Profile JSON file (docs/profile.md).")
    ] = None,
) -> None:
    """Register an address and the consent to it, with a profile when one is given.

    A robot's address holds its key: give ``-`` where others can read the list of processes.
    """
    from channels.notices.addresses import check_address
    from matcher.profile import load_profile
    from store.database import unit_of_work
    from store.notice_contacts import save_contact
    from store.people import save_profile

    if not _SUBJECT.fullmatch(subject):
        _refuse("a subject is <channel>:<id> without spaces, such as enterprise:A1")
    if not consent.strip() or len(consent) > 200:
        _refuse("say in at most 200 characters how and when they agreed")
    where = check_address(channel, _given(address), get_settings())
    key, now = _given(secret), utc_now()
    known = load_profile(profile) if profile else None
    with unit_of_work() as session:
        if known is not None:
            facts = dict(known.attributes)
            save_profile(session, subject, known.kind, facts, told=facts, now=now)
        save_contact(session, subject, channel, where, key or None, consent.strip(), now)
    typer.echo(f"{_masked(subject)} hears of policies by {channel}")


@contacts.command("list")
def list_contacts() -> None:
    """List contacts: whose (recognisable here alone), where, since when, until when."""
    from store.database import reading
    from store.notice_contacts import find_contacts

    with reading() as session:
        for row, subscription in find_contacts(session):
            ended = subscription.ended_at
            state = f"unsubscribed {_moment(ended)}" if ended else "subscribed"
            since = _moment(subscription.created_at)
            typer.echo(f"{_masked(row.citizen_id)} {row.channel} since {since}: {state}")


@contacts.command("remove")
def remove(subject: Subject, channel: Channel) -> None:
    """Delete an address; nothing is sent there any more."""
    from store.database import unit_of_work
    from store.notice_contacts import remove_contact

    with unit_of_work() as session:
        gone = remove_contact(session, subject, channel, utc_now())
    if not gone:
        _refuse("there is no such contact")
    typer.echo(f"{_masked(subject)} does not hear of policies by {channel} any more")


def _result(tally: Tally, sent: int, *, dry_run: bool) -> dict[str, Any]:
    keys = sorted({*tally.told, *tally.waiting})
    return {
        "dry_run": dry_run,
        "looked_at": tally.looked_at,
        "sent": sent,
        "policies": [
            {"policy": p, "trigger": t, "told": tally.told[p, t], "waiting": tally.waiting[p, t]}
            for p, t in keys
        ],
        "people": {_masked(name): count for name, count in sorted(tally.people.items())},
    }


def _masked(citizen_id: str) -> str:
    """Return a name for a person that says nothing and cannot be guessed back without the key."""
    key = get_settings().session_key.get_secret_value().encode()
    return hmac.new(key, citizen_id.encode(), hashlib.sha256).hexdigest()[:12]


def _given(value: str) -> str:
    return sys.stdin.readline().strip() if value == "-" else value.strip()


def _moment(moment: datetime) -> str:
    from base.calendar import CITY_TIME

    return moment.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M")


def _refuse(words: str) -> NoReturn:
    typer.echo(words, err=True)
    raise typer.Exit(2)
