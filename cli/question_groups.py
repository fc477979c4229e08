"""``shimin services unanswered``, ``settle``, ``settled`` and ``reopen``: the editors' list."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from base.errors import InputError, StateError
from base.settings import get_settings
from cli.answer_quality import AS_JSON, DAYS

if TYPE_CHECKING:
    from store.settled_groups import Settled


class Done(StrEnum):
    """What was done about a group of questions."""

    NEW_ITEM = "new_item"
    ALIAS = "alias"
    NOT_OURS = "not_ours"
    DUPLICATE = "duplicate"


def unanswered(
    days: Annotated[int, DAYS] = 30,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Group the questions that found no answer by meaning, the most asked first."""
    from base.encoder import get_encoder
    from enquiries.question_desk import KINDS, waiting
    from matcher.catalogue import Catalogue
    from store.database import unit_of_work
    from store.models import utc_now

    settings = get_settings()
    finder = Catalogue.load(settings).service_finder
    encoder = get_encoder(settings.embedding_model)
    with unit_of_work() as session:
        clusters = waiting(session, finder, encoder, actor=_actor(), now=utc_now(), days=days)
    if as_json:
        rows = [{**asdict(c), "again": _row(c.again) if c.again else None} for c in clusters]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for cluster in clusters:
        kinds = "，".join(f"{KINDS[kind]}{times}" for kind, times in cluster.kinds.items())
        typer.echo(f"#{cluster.questions[0]}  {cluster.size} 次  {cluster.title}  （{kinds}）")
        for example in cluster.examples[1:]:
            typer.echo(f"    {example}")
        if cluster.again:
            typer.echo(f"    处理后又有人问：{_told(cluster.again)}")
        near = "，".join(f"{name} {cosine:.2f}" for _, name, cosine in cluster.nearest)
        typer.echo(f"    相近：{near}")
        typer.echo(f"    建议：{cluster.suggestion}")
    typer.echo(f"{len(clusters)} 组，{sum(c.size for c in clusters)} 个问题，最近 {days} 天。")


def settle(
    question: Annotated[int, typer.Argument(help="The number of a group, as listed.")],
    done: Annotated[Done, typer.Option("--as", help="What was done.")],
    matter: Annotated[str, typer.Option("--item", help="Id of the item concerned.")] = "",
    note: Annotated[str, typer.Option(help="Your own words, up to 200 characters.")] = "",
    days: Annotated[int, DAYS] = 30,
) -> None:
    """Mark a group of unanswered questions as dealt with; it leaves the list.

    The group is the one in which the question is now, among the last DAYS days.
    """
    from base.encoder import get_encoder
    from enquiries.question_desk import mark_done, waiting
    from matcher.catalogue import Catalogue
    from store.database import unit_of_work
    from store.models import utc_now

    settings, now = get_settings(), utc_now()
    finder = Catalogue.load(settings).service_finder
    encoder = get_encoder(settings.embedding_model)
    with _refusals(), unit_of_work() as session:
        clusters = waiting(session, finder, encoder, actor=_actor(), now=now, days=days)
        found = next((c for c in clusters if question in c.questions), None)
        if found is None:
            raise StateError("not_listed", f"列表里没有 #{question}，可能已经处理过了。")
        made = mark_done(
            session,
            finder,
            found.questions,
            done.value,
            actor=_actor(),
            now=now,
            matter=matter,
            note=note,
        )
    typer.echo(f"已记下：{found.title}（{found.size} 个问题）。撤销：shimin services reopen {made}")


def settled(
    days: Annotated[int, DAYS] = 30,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """List the groups that were dealt with, the newest first."""
    from enquiries.question_desk import settled as dealt_with
    from store.database import unit_of_work
    from store.models import utc_now

    with unit_of_work() as session:
        groups = dealt_with(session, actor=_actor(), now=utc_now(), days=days)
    if as_json:
        typer.echo(json.dumps([_row(one) for one in groups], ensure_ascii=False, indent=2))
        return
    for one in groups:
        typer.echo(f"{one.id}  {one.title}  （{len(one.questions)} 个问题）  {_told(one)}")
    typer.echo(f"{len(groups)} 组，最近 {days} 天。")


def reopen(
    group: Annotated[int, typer.Argument(help="The number of a group that was dealt with.")],
) -> None:
    """Take back a mark: the questions of the group are on the list again."""
    from enquiries.question_desk import take_back
    from store.database import unit_of_work

    with _refusals(), unit_of_work() as session:
        count = take_back(session, group, actor=_actor())
    typer.echo(f"已撤销，{count} 个问题回到列表。")


@contextmanager
def _refusals() -> Iterator[None]:
    """Say a refusal in its own words and end with code 1."""
    try:
        yield
    except (InputError, StateError) as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error


def _actor() -> str:
    return f"official:{getpass.getuser()}"


def _told(one: Settled) -> str:
    from enquiries.question_desk import OUTCOME_WORDS

    parts = [OUTCOME_WORDS[one.outcome], one.matter or "", one.note]
    return "，".join(part for part in (*parts, one.by, f"{one.at:%Y-%m-%d}") if part)


def _row(one: Settled) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "outcome": one.outcome,
        "matter": one.matter,
        "note": one.note,
        "by": one.by,
        "at": one.at.isoformat(),
        "questions": [question.id for question in one.questions],
    }
