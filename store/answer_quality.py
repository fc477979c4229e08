"""How good the service answers are: counts, ratings, and questions that found no answer.

Nothing here holds the id of a citizen. Words are masked and encrypted, and forgotten after
``SHIMIN_UNANSWERED_KEEP_DAYS``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from base.masking import mask
from store.database import insert_missing
from store.models import plain
from store.privacy import reveal
from store.quality_models import AnswerCount, AnswerRating, SettledGroup, UnansweredQuestion

__all__ = [
    "REASONS",
    "Figures",
    "Kind",
    "Reason",
    "Unanswered",
    "answer_key",
    "count",
    "figures",
    "forget_questions",
    "keep_unanswered",
    "opened",
    "rate",
    "read_unanswered",
]

Kind = Literal["unknown", "none_fits", "other_matter", "elsewhere"]
"""Why a question counts as unanswered: nothing was found; none of those offered was meant; the
answer was about another matter; others handle it."""

Reason = Literal["other_matter", "wrong", "too_long", "human"]
REASONS: tuple[Reason, ...] = get_args(Reason)

_LONGEST = 300
"""Characters kept of a question; what is longer tells a story, which clusters badly."""


@dataclass(frozen=True)
class Unanswered:
    """One kept question: its masked words and what the finder thought, best first."""

    id: int
    at: datetime
    kind: Kind
    words: str
    candidates: tuple[tuple[str, float], ...]


@dataclass
class Figures:
    """What became of the answers about one item."""

    answers: int = 0
    hand_overs: int = 0
    useful: int = 0
    useless: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def answer_key(message_id: str) -> str:
    """Return the name under which what belongs to a message is kept: SHA-256 in hex."""
    return hashlib.sha256(message_id.encode()).hexdigest()


def count(
    session: Session, service_id: str, day: date, *, answers: int = 0, hand_overs: int = 0
) -> None:
    """Add to the figures of an item on a day of the city."""
    if _add(session, service_id, day, answers, hand_overs):
        return
    try:
        with session.begin_nested():
            session.add(
                AnswerCount(service_id=service_id, day=day, answers=answers, hand_overs=hand_overs)
            )
    except IntegrityError:  # another process began the day at the same moment
        _add(session, service_id, day, answers, hand_overs)


def rate(  # noqa: PLR0913
    session: Session, key: str, service_id: str, day: date, *, useful: bool, reason: Reason | None
) -> None:
    """Record a rating; a later one under the same ``key`` replaces it.

    A bare “not useful” keeps a reason given before: the button may be pressed twice.
    """
    fresh = AnswerRating(key=key, service_id=service_id, day=day, useful=useful, reason=reason)
    insert_missing(session, fresh, key)
    kept = session.get_one(AnswerRating, key)
    kept.useful = useful
    kept.reason = None if useful else reason or kept.reason


def keep_unanswered(
    session: Session,
    message_id: str,
    kind: Kind,
    words: str,
    candidates: Iterable[tuple[str, float]] = (),
) -> None:
    """Keep a question, masked and without its sender; the same message is kept once."""
    key = answer_key(message_id)
    if session.scalar(select(UnansweredQuestion.id).where(UnansweredQuestion.key == key)):
        return
    row = UnansweredQuestion(
        key=key,
        kind=kind,
        words=plain(mask(words)[:_LONGEST]),
        candidates=[{"id": name, "score": round(score, 4)} for name, score in candidates],
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return


def forget_questions(session: Session, keep_days: int, now: datetime) -> int:
    """Delete questions older than ``keep_days``; return how many.

    A settled group goes with the last of its questions: its title is one of them.
    """
    oldest = now - timedelta(days=keep_days)
    gone = _changed(session, delete(UnansweredQuestion).where(UnansweredQuestion.at < oldest))
    of_group = UnansweredQuestion.settled_id == SettledGroup.id
    session.execute(delete(SettledGroup).where(~exists().where(of_group)))
    return gone


def read_unanswered(
    session: Session, since: datetime, actor: str, most: int
) -> Sequence[Unanswered]:
    """Return the ``most`` newest questions since a moment (aware), oldest first.

    Questions of settled groups (:mod:`store.settled_groups`) are not among them.

    Reading is audited, although the words are masked: a mask may miss something.
    """
    rows = session.scalars(
        select(UnansweredQuestion)
        .where(UnansweredQuestion.at >= since, UnansweredQuestion.settled_id.is_(None))
        .order_by(UnansweredQuestion.at.desc(), UnansweredQuestion.id.desc())
        .limit(most)
    ).all()
    return [opened(session, row, actor) for row in reversed(rows)]


def opened(session: Session, row: UnansweredQuestion, actor: str) -> Unanswered:
    """Return a kept question with its words; reading them is audited."""
    return Unanswered(
        id=row.id,
        at=row.at,
        kind=row.kind,  # type: ignore[arg-type]
        words=reveal(session, row, "words", actor=actor, purpose="unanswered_questions"),
        candidates=tuple((c["id"], float(c["score"])) for c in row.candidates),
    )


def figures(session: Session, since: date) -> Mapping[str, Figures]:
    """Return the figures of every item answered or rated since a day, that day included."""
    found: dict[str, Figures] = {}
    counted = (
        select(
            AnswerCount.service_id, func.sum(AnswerCount.answers), func.sum(AnswerCount.hand_overs)
        )
        .where(AnswerCount.day >= since)
        .group_by(AnswerCount.service_id)
    )
    for name, answers, hand_overs in session.execute(counted):
        found[name] = Figures(int(answers), int(hand_overs))
    rated = (
        select(AnswerRating.service_id, AnswerRating.useful, AnswerRating.reason, func.count())
        .where(AnswerRating.day >= since)
        .group_by(AnswerRating.service_id, AnswerRating.useful, AnswerRating.reason)
    )
    for name, useful, reason, times in session.execute(rated):
        item = found.setdefault(name, Figures())
        if useful:
            item.useful += times
        else:
            item.useless += times
            item.reasons[reason or "unsaid"] += times
    return found


def _add(session: Session, service_id: str, day: date, answers: int, hand_overs: int) -> bool:
    changed = _changed(
        session,
        update(AnswerCount)
        .where(AnswerCount.service_id == service_id, AnswerCount.day == day)
        .values(
            answers=AnswerCount.answers + answers, hand_overs=AnswerCount.hand_overs + hand_overs
        ),
    )
    return changed > 0


def _changed(session: Session, statement: Any) -> int:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount
