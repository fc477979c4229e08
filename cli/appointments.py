"""``shimin appointments``: who comes to a hall, for its staff."""

from __future__ import annotations

import csv
import getpass
import json
import sys
from datetime import datetime, time, timedelta
from typing import Annotated

import typer

from base.calendar import CITY_TIME, city_today
from base.errors import ConfigurationError
from base.settings import get_settings
from base.sheets import cell

app = typer.Typer(no_args_is_help=True)

_STATES = {"requested": "已预约", "past": "时间已过", "attended": "已到场", "missed": "未到场"}
_OUTCOMES = {"done": "办成了", "not_done": "没办成", "absent": "没去"}
TITLES = ("预约号", "开始", "结束", "序号", "业务", "事项", "姓名", "电话", "状态", "结果")

HallOption = Annotated[str, typer.Option("--hall", help="Id of the hall in halls.yml.")]
DayOption = Annotated[
    datetime | None,
    typer.Option("--day", formats=["%Y-%m-%d"], help="City time; default: today."),
]


@app.callback()
def _group() -> None:
    """Appointments at the windows of halls."""


@app.command("list")
def show(
    hall: HallOption,
    day: DayOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Show who comes to a hall on a day; names and phones are masked, every row is audited."""
    rows = _rows(hall, day)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo("  ".join(row[title] for title in TITLES if row[title]))
    typer.echo(f"共 {len(rows)} 个预约。")


@app.command()
def export(hall: HallOption, day: DayOption = None) -> None:
    """Write the same as CSV to standard output.

    It begins with a byte order mark, so that Excel reads it as UTF-8; a cell that a spreadsheet
    would take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
    """
    sys.stdout.write("\ufeff")
    writer = csv.DictWriter(sys.stdout, TITLES, lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(hall, day):
        writer.writerow({title: cell(value) for title, value in row.items()})


def _rows(hall_id: str, day: datetime | None) -> list[dict[str, str]]:
    """Read a day at a hall; the audit is committed before anything is handed out.

    Raises:
        ConfigurationError: there is no such hall.
    """
    from enquiries.hall_files import halls_now
    from store.appointments import visits
    from store.database import unit_of_work

    known = [hall.id for hall in halls_now(get_settings().policies_dir)]
    if hall_id not in known:
        raise ConfigurationError(f"no hall {hall_id!r}; there are {', '.join(known)}")
    start = datetime.combine(day.date() if day else city_today(), time(), CITY_TIME)
    actor = f"official:{getpass.getuser()}"
    with unit_of_work() as session:
        found = visits(session, hall_id, start, start + timedelta(days=1), actor=actor)
        rows = []
        for visit in found:
            kept = visit.appointment
            rows.append(
                {
                    "预约号": kept.number,
                    "开始": f"{kept.starts_at.astimezone(CITY_TIME):%Y-%m-%d %H:%M}",
                    "结束": f"{kept.ends_at.astimezone(CITY_TIME):%H:%M}",
                    "序号": str(kept.seat + 1),
                    "业务": kept.domain,
                    "事项": kept.service_name,
                    "姓名": _masked_name(visit.name),
                    "电话": _masked_phone(visit.phone),
                    "状态": _STATES[kept.state],
                    "结果": _OUTCOMES.get(kept.outcome or "", ""),
                }
            )
    return rows


def _masked_name(name: str | None) -> str:
    """Keep the first character: 张**."""
    return name[0] + "*" * (len(name) - 1) if name else ""


def _masked_phone(phone: str | None) -> str:
    """Keep the last four digits, by which staff and citizen find each other."""
    return "*" * (len(phone) - 4) + phone[-4:] if phone and len(phone) > 4 else ""
