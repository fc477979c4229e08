"""``shimin services unanswered`` and ``shimin services report``."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from base.settings import get_settings

DAYS = typer.Option(min=1, max=3660, help="How many days back.")
AS_JSON = typer.Option("--json", help="Machine-readable output.")

_MOST = 3000
"""Newest questions that are grouped: their pairwise distances take 72 MB."""
_KINDS = {
    "unknown": "没找到",
    "none_fits": "都不是",
    "other_matter": "答错了事",
    "elsewhere": "不归本市",
}
_REASONS = {
    "other_matter": "说的不是这件事",
    "wrong": "内容不对",
    "too_long": "太长看不懂",
    "human": "转人工",
    "unsaid": "没说原因",
}


def unanswered(
    days: Annotated[int, DAYS] = 30,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Group the questions that found no answer by meaning, the most asked first."""
    from base.encoder import get_encoder
    from enquiries.unanswered import group
    from matcher.catalogue import Catalogue
    from store.answer_quality import read_unanswered
    from store.database import unit_of_work
    from store.models import utc_now

    settings = get_settings()
    with unit_of_work() as session:
        since = utc_now() - timedelta(days=days)
        questions = read_unanswered(session, since, f"official:{getpass.getuser()}", _MOST)
    clusters = []
    if questions:
        finder = Catalogue.load(settings).service_finder
        clusters = group(questions, finder, get_encoder(settings.embedding_model))
    if as_json:
        typer.echo(json.dumps([asdict(c) for c in clusters], ensure_ascii=False, indent=2))
        return
    for cluster in clusters:
        kinds = "，".join(f"{_KINDS[kind]}{times}" for kind, times in cluster.kinds.items())
        typer.echo(f"{cluster.size} 次  {cluster.title}  （{kinds}）")
        for example in cluster.examples[1:]:
            typer.echo(f"    {example}")
        near = "，".join(f"{name} {cosine:.2f}" for _, name, cosine in cluster.nearest)
        typer.echo(f"    相近：{near}")
        typer.echo(f"    建议：{cluster.suggestion}")
    typer.echo(f"{len(clusters)} 组，{sum(c.size for c in clusters)} 个问题，最近 {days} 天。")


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
