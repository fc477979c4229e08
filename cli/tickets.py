"""``shimin tickets``: tickets for other systems."""

from __future__ import annotations

import csv
import getpass
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from base.calendar import CITY_TIME
from base.settings import get_settings
from store.database import unit_of_work
from store.tickets import filed_since

if TYPE_CHECKING:
    from dispatch.case.hotline_record import HotlineRecord

tickets = typer.Typer(no_args_is_help=True)
_PAGE = 200


class ExportFormat(StrEnum):
    """What ``shimin tickets export`` writes."""

    HOTLINE_JSON = "hotline-json"
    HOTLINE_CSV = "hotline-csv"


@tickets.callback()
def _group() -> None:
    """Tickets for other systems."""


@tickets.command("export")
def export(
    form: Annotated[ExportFormat, typer.Option("--format", help="12345 work-order records.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Filed on or after this day (Beijing time)."),
    ] = None,
    with_contact: Annotated[
        bool, typer.Option("--with-contact", help="Open name and phone; words unmasked.")
    ] = False,
) -> None:
    """Write tickets as 12345 work-order records to standard output.

    Every read of personal data is audited under ``official:<operating-system user>``. The CSV
    begins with a byte order mark, so that Excel reads it as UTF-8.
    """
    records = _records(since, with_contact=with_contact)
    if form is ExportFormat.HOTLINE_JSON:
        _write_json(records)
    else:
        _write_csv(records)


def _records(since: datetime | None, *, with_contact: bool) -> Iterator[HotlineRecord]:
    """Read page by page; a page's audit is committed before its records are handed out."""
    from dispatch.case.hotline_record import hotline_record, ticket_view
    from dispatch.classification.categories import load_categories

    categories = load_categories(get_settings().categories_file)
    actor = f"official:{getpass.getuser()}"
    moment = since.replace(tzinfo=CITY_TIME) if since else None
    last = ""
    while True:
        with unit_of_work() as session:
            found = filed_since(session, moment, last, _PAGE)
            views = [
                ticket_view(session, ticket, categories, actor=actor, with_contact=with_contact)
                for ticket in found
            ]
        yield from (hotline_record(view) for view in views)
        if len(views) < _PAGE:
            return
        last = views[-1].id


def _write_json(records: Iterator[HotlineRecord]) -> None:
    sys.stdout.write("[")
    for number, record in enumerate(records):
        sys.stdout.write(",\n" if number else "\n")
        sys.stdout.write(json.dumps(record.as_json(), ensure_ascii=False))
    sys.stdout.write("\n]\n")


def _write_csv(records: Iterator[HotlineRecord]) -> None:
    from dispatch.case.hotline_record import TITLES

    sys.stdout.write("\ufeff")
    writer = csv.DictWriter(sys.stdout, TITLES, lineterminator="\r\n")
    writer.writeheader()
    for record in records:
        writer.writerow(record.as_row())
