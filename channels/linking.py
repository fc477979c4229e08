"""Linking channels by words and buttons, decided before a message would go to Rasa.

A code is a secret: it reaches neither Rasa's conversation events nor an agent's page.
"""

from __future__ import annotations

from typing import Any

from base.settings import Settings
from enquiries.linking import wording
from enquiries.linking.office import CODE, GUESS, LinkOffice
from enquiries.linking.words import CODE_DIGITS, Said, Wish, read
from store.database import unit_of_work
from store.models import utc_now

INTENT = "link_channels"
"""What the answer to such a message says it was about."""


def concerns_links(text: str) -> bool:
    """Tell whether a message is about linked channels: never for others to read."""
    return read(text) is not None


class Linking:
    """Takes the messages that are about linked channels."""

    def __init__(self, settings: Settings) -> None:
        self._office = LinkOffice(settings)

    def answer(self, citizen: str, text: str) -> list[dict[str, Any]] | None:
        """Answer a button or a few words about linking; None when they are about else."""
        said = read(text)
        return None if said is None else [self._answer(citizen, said)]

    def _answer(self, citizen: str, said: Said) -> dict[str, Any]:
        now, office = utc_now(), self._office
        if said.wish is Wish.ENTER and len(said.value) != CODE_DIGITS:
            return wording.wrong_length()
        if said.wish in (Wish.CODE, Wish.ENTER):
            with unit_of_work() as session:  # the limits count what is committed
                kind = CODE if said.wish is Wish.CODE else GUESS
                attempt = office.note(session, citizen, kind, now)
            with unit_of_work() as session:
                if said.wish is Wish.CODE:
                    return office.give(session, citizen, attempt, now)
                return office.enter(session, citizen, said.value, attempt, now)
        with unit_of_work() as session:
            if said.wish is Wish.CONFIRM:
                return office.confirm(session, citizen, now)
            if said.wish is Wish.DECLINE:
                return office.decline(session, citizen, now)
            if said.wish is Wish.STATUS:
                return office.status(session, citizen)
            identity = int(said.value) if said.wish is Wish.REMOVE else None
            return office.end(session, citizen, now, identity)
