"""``shimin services report``."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from base.settings import get_settings

DAYS = typer.Option(min=1, max=3660, help="How many days back.")
AS_JSON = typer.Option("--json", help="Machine-readable output.")

_REASONS = {
    "other_matter": "说的不是这件事",
    "wrong": "内容不对",
    "too_long": "太长看不懂",
    "human": "转人工",
    "unsaid": "没说原因",
}


def report(
    days: Annotated[int, DAYS] = 30,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Show answers, ratings, hand-overs and overdue reviews by item, the worst first."""
    from base.calendar import city_today
    from enquiries.answer_report import report as rows_of
    from matcher.package import load_packages
    from matcher.service import load_services
    from store.answer_quality import figures
    from store.database import reading

    root = get_settings().policies_dir
    items = load_services(root / "services")
    today = city_today()
    with reading() as session:
        found = figures(session, today - timedelta(days=days - 1))
    rows = rows_of((*items, *load_packages(root / "packages", items)), found, today)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        parts = [f"回答{row.answers}次"]
        if row.useful is not None:
            parts.append(f"有用{row.useful:.0%}（{row.low:.0%}–{row.high:.0%}，{row.rated}人评）")
        parts += [f"{_REASONS.get(name, name)}{times}" for name, times in row.reasons.items()]
        if row.hand_overs:
            parts.append(f"答后转人工{row.hand_overs}次")
        if row.overdue_days:
            parts.append(f"复核已过期{row.overdue_days}天")
        typer.echo(f"{row.name}（{row.id}）：" + "，".join(parts))
    typer.echo(f"{len(rows)} 个事项，最近 {days} 天。")
