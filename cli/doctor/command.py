"""The command: runs every examination and prints a table, or JSON for a monitor."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated
from unicodedata import east_asian_width

import structlog
import typer

from base.settings import Settings, get_settings
from cli.doctor import local, remote
from cli.doctor.finding import Finding, State, Words

log = structlog.get_logger(__name__)


class Language(StrEnum):
    """What the table is written in."""

    ZH = "zh"
    EN = "en"


EXAMINATIONS: tuple[Callable[[Settings], Finding], ...] = (
    local.interpreters,
    local.secrets,
    local.model,
    local.media,
    local.disk,
    remote.database,
    remote.outbox,
    remote.rasa,
    remote.actions,
    remote.gateway,
    remote.dispatch,
    remote.lock_store,
    remote.clock,
    remote.mail,
    remote.robots,
)
_STATES = {
    State.OK: Words("正常", "ok"),
    State.WARNING: Words("注意", "warning"),
    State.FAILED: Words("故障", "failed"),
    State.UNUSED: Words("未启用", "not used"),
}
_FINE = Words("一切正常。", "Everything is well.")


def doctor(
    language: Annotated[Language, typer.Option("--lang", help="zh or en.")] = Language.ZH,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Examine this installation; code 1 when citizens cannot be served, 0 with warnings only."""
    findings = [examined(look, get_settings()) for look in EXAMINATIONS]
    if as_json:
        typer.echo(json.dumps([_record(found) for found in findings], ensure_ascii=False, indent=2))
    else:
        typer.echo(table(findings, language))
    if any(found.state is State.FAILED for found in findings):
        raise typer.Exit(1)


def examined(look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """Run one examination; one that breaks is a finding and stops no other."""
    try:
        return look(settings)
    except Exception as error:
        log.exception("examination_failed", part=look.__name__)
        todo = Words("检查本身出错，见上面的日志", "the examination itself failed; see the log")
        title = Words(look.__name__, look.__name__)
        return Finding(look.__name__, title, State.FAILED, type(error).__name__, todo)


def table(findings: Sequence[Finding], language: Language) -> str:
    """Return one line a part, and under it what to do."""

    def said(words: Words) -> str:
        return words.zh if language is Language.ZH else words.en

    widest = max(_width(said(found.title)) for found in findings)
    lines = []
    for found in findings:
        state = said(_STATES[found.state])
        lines.append(f"{_padded(said(found.title), widest)}  {_padded(state, 8)}{found.seen}")
        if said(found.todo):
            lines.append(f"{' ' * widest}  → {said(found.todo)}")
    if all(found.state in (State.OK, State.UNUSED) for found in findings):
        lines.append(said(_FINE))
    return "\n".join(line.rstrip() for line in lines)


def _record(found: Finding) -> dict[str, object]:
    return {
        **asdict(found),
        "title": found.title._asdict(),
        "todo": found.todo._asdict(),
    }


def _width(text: str) -> int:
    """Columns of a terminal that a text takes (Unicode Standard Annex 11)."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
