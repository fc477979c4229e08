"""Buttons as choices a citizen answers with, and his answers as what the buttons stand for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from channels.message import Reply
from channels.wechat.wording import label_of, rendered, wants_letters
from store.choices import chosen, close_choices, has_choices, offer_choices
from store.database import reading, unit_of_work


def written(session: Session, citizen: str, piece: Reply, now: datetime) -> str:
    """Return a piece as the citizen reads it; what its labels stand for is kept."""
    buttons = [(button.title, button.payload) for button in piece.buttons]
    if not buttons:
        return rendered(piece, ())
    letters = wants_letters(piece)
    return rendered(piece, offer_choices(session, citizen, buttons, now, letters=letters))


def meant(citizen: str, text: str) -> str:
    """Return what a citizen means: the payload of the choice he named, else his words."""
    with reading() as session:
        if not has_choices(session, citizen):
            return text
    with unit_of_work() as session:
        return chosen(session, citizen, label_of(text), text.strip()) or text


def move_on(citizen: str, upto: datetime) -> None:
    """Close what was offered until ``upto``: the citizen has answered, or asked something else."""
    with reading() as session:
        if not has_choices(session, citizen):
            return
    with unit_of_work() as session:
        close_choices(session, citizen, upto)
