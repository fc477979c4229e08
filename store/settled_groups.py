"""Groups of unanswered questions that an editor has dealt with: what was done, by whom, when.

The questions of such a group leave the editors' list (:func:`store.answer_quality.read_unanswered`)
and stay beside the group, so that what is asked like them later can be told to have come again.
Both are forgotten after ``SHIMIN_UNANSWERED_KEEP_DAYS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from store.answer_quality import Unanswered, opened
from store.models import plain
from store.privacy import reveal
from store.quality_models import SettledGroup, UnansweredQuestion

__all__ = ["LONGEST_NOTE", "OUTCOMES", "Outcome", "Settled", "read_settled", "reopen", "settle"]

Outcome = Literal["new_item", "alias", "not_ours", "duplicate"]
"""What was done: an item was added; a nickname or a form of question was added; it is nobody's
business here, or was put into elsewhere.yml; another group says the same."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

LONGEST_NOTE = 200
_MOST = 3000
"""Questions marked at once, and questions read with the groups: as many as are grouped."""


@dataclass(frozen=True)
class Settled:
    """A group that was dealt with.

    Args:
        id: names it for :func:`reopen`.
        title: masked words of the question that stood for it.
        outcome: what was done.
        matter: id of the item, package or neighbour it was done to, when one was named.
        note: the editor's own words, empty without any.
        by: who did it (``official:<name>``).
        at: when (aware).
        questions: its questions that are still kept, oldest first.
    """

    id: int
    title: str
    outcome: Outcome
    matter: str | None
    note: str
    by: str
    at: datetime
    questions: tuple[Unanswered, ...]


def settle(  # noqa: PLR0913
    session: Session,
    questions: Sequence[int],
    outcome: Outcome,
    *,
    by: str,
    now: datetime,
    matter: str | None = None,
    note: str = "",
) -> int:
    """Mark questions as dealt with; return the id of the group they make.

    Those that somebody else has marked meanwhile stay in his group.

    Args:
        session: a unit of work.
        questions: ids of questions, the one that stands for the group first.
        outcome: what was done.
        by: who says so (``official:<name>``), at most 160 characters.
        now: the moment (aware).
        matter: id of the matter it was done to.
        note: words of the editor, at most :data:`LONGEST_NOTE` characters.

    Raises:
        InputError: ``unknown_outcome``, ``note_too_long`` or ``too_many_questions``.
        StateError: ``already_settled``, none of the questions is on the list any more.
    """
    if outcome not in OUTCOMES:
        raise InputError("unknown_outcome", "请选择怎么处理的。")
    if len(note) > LONGEST_NOTE:
        raise InputError("note_too_long", f"说明最多{LONGEST_NOTE}个字。")
    if len(questions) > _MOST:
        raise InputError("too_many_questions", f"一次最多处理{_MOST}个问题。")
    still_open = [
        UnansweredQuestion.id.in_(questions),
        UnansweredQuestion.settled_id.is_(None),
    ]
    found = {row.id: row for row in session.scalars(select(UnansweredQuestion).where(*still_open))}
    standing = next((found[name] for name in questions if name in found), None)
    if standing is None:
        raise StateError("already_settled", "这组问题已经处理过了，请刷新列表。")
    group = SettledGroup(
        title=standing.words,
        outcome=outcome,
        matter=matter or None,
        note=plain(note.strip()) if note.strip() else None,
        settled_by=by,
        settled_at=now,
    )
    session.add(group)
    session.flush()
    marked = session.execute(
        update(UnansweredQuestion).where(*still_open).values(settled_id=group.id)
    )
    assert isinstance(marked, CursorResult)
    if not marked.rowcount:  # another editor was quicker by a moment
        raise StateError("already_settled", "这组问题已经处理过了，请刷新列表。")
    return group.id


def reopen(session: Session, group: int) -> int:
    """Undo :func:`settle`: put the group's questions back on the list; return how many.

    Raises:
        StateError: ``not_settled``, there is no such group (any more).
    """
    row = session.get(SettledGroup, group)
    if row is None:
        raise StateError("not_settled", "没有这条处理记录，可能已经撤销了。")
    released = session.execute(
        update(UnansweredQuestion)
        .where(UnansweredQuestion.settled_id == group)
        .values(settled_id=None)
    )
    assert isinstance(released, CursorResult)
    session.delete(row)
    return released.rowcount


def read_settled(session: Session, since: datetime, actor: str) -> list[Settled]:
    """Return the groups dealt with since a moment (aware), the newest first.

    Reading titles, notes and questions is audited. The newest 3,000 questions are read.
    """
    groups = session.scalars(
        select(SettledGroup)
        .where(SettledGroup.settled_at >= since)
        .order_by(SettledGroup.settled_at.desc(), SettledGroup.id.desc())
    ).all()
    asked: dict[int, list[Unanswered]] = {group.id: [] for group in groups}
    rows = session.scalars(
        select(UnansweredQuestion)
        .where(UnansweredQuestion.settled_id.in_(asked))
        .order_by(UnansweredQuestion.at.desc(), UnansweredQuestion.id.desc())
        .limit(_MOST)
    ).all()
    for row in reversed(rows):
        assert row.settled_id is not None
        asked[row.settled_id].append(opened(session, row, actor))
    return [_read(session, group, asked[group.id], actor) for group in groups]


def _read(
    session: Session, group: SettledGroup, questions: Sequence[Unanswered], actor: str
) -> Settled:
    def words(field: str) -> str:
        told = reveal(session, group, field, actor=actor, purpose="unanswered_questions")
        return str(told or "")

    return Settled(
        id=group.id,
        title=words("title"),
        outcome=group.outcome,  # type: ignore[arg-type]
        matter=group.matter,
        note=words("note"),
        by=group.settled_by,
        at=group.settled_at,
        questions=tuple(questions),
    )
