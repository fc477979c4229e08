"""The editors' list of unanswered questions: what waits, what was dealt with, and taking it back.

Both the command line (``shimin services unanswered|settle|settled|reopen``) and the officials'
console stand on these four functions. Each wants an open unit of work, because reading the
citizens' words is audited under ``actor`` (``official:<name>``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from base.encoder import Encoder
from base.errors import InputError
from enquiries.unanswered import Cluster, group
from matcher.finder import ServiceFinder
from store.answer_quality import Unanswered, read_unanswered
from store.settled_groups import Outcome, Settled, read_settled, reopen, settle

__all__ = [
    "DAYS",
    "KINDS",
    "OUTCOME_WORDS",
    "kept",
    "mark_done",
    "settled",
    "take_back",
    "waiting",
]

log = structlog.get_logger(__name__)

DAYS = 30
"""How many days back an editor looks unless he says otherwise."""

KINDS = {
    "unknown": "没找到",
    "none_fits": "都不是",
    "other_matter": "答错了事",
    "elsewhere": "不归本市",
}
"""Why questions count as unanswered (:data:`store.answer_quality.Kind`), for an editor's eyes."""

OUTCOME_WORDS: dict[Outcome, str] = {
    "new_item": "已新增事项",
    "alias": "已补别名或问法",
    "not_ours": "不归本市",
    "duplicate": "与别的组重复",
}
"""What was done about a group, for an editor's eyes."""

_MOST = 3000
"""Newest questions that are grouped: their pairwise distances take 72 MB."""
_KEPT_DAYS = 3660
"""Settled groups are compared with however old they are: retention forgets them in time."""


def waiting(  # noqa: PLR0913
    session: Session,
    finder: ServiceFinder,
    encoder: Encoder,
    *,
    actor: str,
    now: datetime,
    days: int = DAYS,
) -> list[Cluster]:
    """Return the groups nobody has dealt with, the most asked first.

    ``Cluster.questions`` is what :func:`mark_done` wants; ``Cluster.again`` is the settled group
    that a group came again of. Takes some seconds for thousands of questions: they are encoded
    and compared in pairs. The newest 3,000 of the last ``days`` days are looked at.
    """
    questions, done = kept(session, actor=actor, now=now, days=days)
    return group(questions, finder, encoder, done)


def kept(
    session: Session, *, actor: str, now: datetime, days: int = DAYS
) -> tuple[Sequence[Unanswered], list[Settled]]:
    """Return the questions on the list and the settled groups they are compared with.

    For a caller who must not keep a transaction open while :func:`enquiries.unanswered.group`
    computes: on SQLite it holds every writer up.
    """
    questions = read_unanswered(session, now - timedelta(days=days), actor, _MOST)
    if not questions:
        return [], []
    return questions, read_settled(session, now - timedelta(days=_KEPT_DAYS), actor)


def mark_done(  # noqa: PLR0913
    session: Session,
    finder: ServiceFinder,
    questions: Sequence[int],
    outcome: Outcome,
    *,
    actor: str,
    now: datetime,
    matter: str = "",
    note: str = "",
) -> int:
    """Mark a group as dealt with; return the id under which :func:`take_back` undoes it.

    Args:
        session: a unit of work.
        finder: knows the matters there are.
        questions: ``Cluster.questions`` as the editor saw it; what came in since stays on the list.
        outcome: what was done.
        actor: who did it.
        now: the moment (aware).
        matter: id of the item, package or neighbour concerned; empty without one.
        note: the editor's own words, at most :data:`store.settled_groups.LONGEST_NOTE` characters.

    Raises:
        InputError: ``no_such_matter``, ``unknown_outcome``, ``note_too_long``,
            ``too_many_questions``.
        StateError: ``already_settled``, somebody else has dealt with all of them.
    """
    if matter and matter not in finder.items:
        raise InputError(
            "no_such_matter", "目录里没有这个事项，请核对编号。", f"matter {matter[:64]!r}"
        )
    made = settle(session, questions, outcome, by=actor, now=now, matter=matter, note=note)
    log.info("questions_settled", group=made, outcome=outcome, matter=matter, by=actor)
    return made


def settled(session: Session, *, actor: str, now: datetime, days: int = DAYS) -> list[Settled]:
    """Return what was dealt with in the last ``days`` days, the newest first."""
    return read_settled(session, now - timedelta(days=days), actor)


def take_back(session: Session, made: int, *, actor: str) -> int:
    """Undo :func:`mark_done`: its questions are on the list again; return how many.

    Raises:
        StateError: ``not_settled``, there is no such group (any more).
    """
    count = reopen(session, made)
    log.info("questions_reopened", group=made, questions=count, by=actor)
    return count
