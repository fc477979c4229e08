"""Choices offered as numbers in a text, on platforms whose messages have no buttons.

Numbers go on while several messages with choices are open, so that none stands for two things;
they begin anew once the citizen has written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store.choice_models import OfferedChoice
from store.models import plain
from store.privacy import reveal

HIGHEST = 99
LETTERS = 26


def offer_choices(
    session: Session,
    citizen_id: str,
    buttons: Sequence[tuple[str, str]],
    now: datetime,
    *,
    letters: bool = False,
) -> tuple[str, ...]:
    """Keep what buttons (title, payload) stand for; return the label of each, in their order.

    What was offered last and is offered again keeps its labels: a message may be sent twice.

    Args:
        session: the unit of work.
        citizen_id: whom they are offered to.
        buttons: at most :data:`HIGHEST`.
        now: the present moment (aware).
        letters: name them A, B, C: for questions that are themselves answered with a number.
    """
    last = session.scalars(
        select(OfferedChoice)
        .where(OfferedChoice.citizen_id == citizen_id)
        .order_by(OfferedChoice.number.desc())
        .limit(len(buttons))
    ).all()[::-1]
    if [_opened(session, row, "choice_offered") for row in last] == list(buttons):
        for row in last:
            row.offered_at = now
        return tuple(row.label for row in last)
    first = last[-1].number + 1 if last else 1
    if first + len(buttons) - 1 > HIGHEST:
        close_choices(session, citizen_id, now)
        first = 1
    labels = []
    for number, (title, payload) in enumerate(buttons, first):
        label = chr(ord("A") + number - 1) if letters and number <= LETTERS else str(number)
        button = plain([title, payload])
        session.add(
            OfferedChoice(
                citizen_id=citizen_id, number=number, label=label, button=button, offered_at=now
            )
        )
        labels.append(label)
    session.flush()
    return tuple(labels)


def has_choices(session: Session, citizen_id: str) -> bool:
    """Tell whether anything is open to the citizen, without reading it."""
    found = select(OfferedChoice.id).where(OfferedChoice.citizen_id == citizen_id).limit(1)
    return session.scalar(found) is not None


def chosen(session: Session, citizen_id: str, label: str | None, title: str) -> str | None:
    """Return the payload of the open choice with this label or title (audited), else None.

    Of several with the same title the newest is meant.
    """
    rows = session.scalars(
        select(OfferedChoice)
        .where(OfferedChoice.citizen_id == citizen_id)
        .order_by(OfferedChoice.number.desc())
    ).all()
    for row in rows:
        if label is not None and row.label != label:
            continue
        offered, payload = _opened(session, row, "choice_made")
        if label is not None or offered == title:
            return payload
    return None


def _opened(session: Session, row: OfferedChoice, purpose: str) -> tuple[str, str]:
    """Return title and payload (audited)."""
    actor = f"citizen:{row.citizen_id}"
    title, payload = reveal(session, row, "button", actor=actor, purpose=purpose)
    return title, payload


def close_choices(session: Session, citizen_id: str, upto: datetime) -> None:
    """Forget what was offered to the citizen until ``upto``: he has gone on."""
    session.execute(
        delete(OfferedChoice).where(
            OfferedChoice.citizen_id == citizen_id, OfferedChoice.offered_at <= upto
        )
    )


def forget_choices(session: Session, before: datetime) -> None:
    """Delete choices offered before ``before``."""
    session.execute(delete(OfferedChoice).where(OfferedChoice.offered_at < before))
