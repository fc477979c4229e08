"""Linking by a one-time code: who may try how often, what a code opens, who is told.

A code is 8 digits: short enough to be said aloud. With ``SHIMIN_LINK_GUESSES_EVERYWHERE`` (200)
wrong ones an hour in the whole city and ten codes alive, somebody who guesses without a pause
finds one in five to six years on average (10⁸ / 10 / 200 hours); his victim is told at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from base.errors import StateError
from base.settings import Settings
from enquiries.linking import wording
from enquiries.linking.wording import Reply
from enquiries.linking.words import CODE_DIGITS
from store import identities as rows
from store.models import Citizen
from store.people import citizen as known_citizen
from store.people import queue_message

log = structlog.get_logger(__name__)

WINDOW = timedelta(hours=1)
"""The span of the limits."""
CODES = 5
"""Codes a conversation may ask for within it."""
CODE, GUESS = "code", "guess"


class LinkOffice:
    """Gives out codes, takes them, and ends links; each call in the caller's unit of work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._life = timedelta(minutes=settings.link_code_minutes)

    def note(self, session: Session, citizen: str, kind: str, now: datetime) -> int:
        """Note an attempt (``CODE`` or ``GUESS``); in a unit of work before the attempt's own."""
        return rows.note_attempt(session, citizen, kind, now)

    def give(self, session: Session, citizen: str, attempt: int, now: datetime) -> Reply:
        """Give out a code; the former one of this conversation is void."""
        if rows.count_attempts(session, CODE, now - WINDOW, citizen) > CODES:
            rows.drop_attempt(session, attempt)
            log.warning("link_codes_refused", citizen=citizen)
            return wording.too_many_codes()
        code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
        rows.keep_code(session, citizen, self._hash(code), now + self._life)
        rows.audit(session, citizen, "link_code", f"link_codes:{citizen}")
        log.info("link_code_given", citizen=citizen)
        return wording.code_given(code, now + self._life, self._settings.link_code_minutes)

    def enter(
        self, session: Session, citizen: str, digits: str, attempt: int, now: datetime
    ) -> Reply:
        """Take a code that somebody says; a right one waits for his confirmation."""
        if self._exhausted(session, citizen, now):
            rows.drop_attempt(session, attempt)
            rows.audit(session, citizen, "link_guess_refused", "link_codes")
            log.warning("link_guess_refused", citizen=citizen)
            return wording.too_many_guesses()
        hashed = self._hash(digits)
        issuer = rows.owner_of_code(session, hashed, now)
        if issuer == citizen:
            rows.drop_attempt(session, attempt)
            return wording.own_code()
        if issuer is None or not rows.claim_code(
            session, issuer, hashed, citizen, now, now + self._life
        ):
            rows.audit(session, citizen, "link_guess_wrong", "link_codes")
            log.warning("link_guess_wrong", citizen=citizen)
            return wording.wrong_code()
        rows.drop_attempt(session, attempt)
        rows.audit(session, citizen, "link_code_entered", f"link_codes:{issuer}")
        known_citizen(session, citizen)
        return wording.ask_confirmation(session.get_one(Citizen, issuer))

    def confirm(self, session: Session, citizen: str, now: datetime) -> Reply:
        """Link the two conversations and tell the other side."""
        issuer = rows.take_entered(session, citizen, now)
        if issuer is None:
            return wording.nothing_entered()
        try:
            newcomer = rows.link(session, issuer, citizen, now)
        except StateError as error:
            log.info("link_not_made", citizen=citizen, reason=error.code)
            return wording.refused(error.code)
        new = session.get_one(Citizen, newcomer.citizen_id)
        for identity, other in rows.linked_to(session, citizen):
            seen = session.get_one(Citizen, citizen) if identity.id == newcomer.id else new
            queue_message(session, other.id, [wording.tell_linked(seen, newcomer)], now)
        log.info("linked", citizen=citizen, other=issuer)
        return wording.linked(session.get_one(Citizen, issuer))

    def decline(self, session: Session, citizen: str, now: datetime) -> Reply:
        """Use the entered code up without linking."""
        found = rows.take_entered(session, citizen, now)
        return wording.nothing_entered() if found is None else wording.declined()

    def status(self, session: Session, citizen: str) -> Reply:
        """Say what is linked."""
        return wording.status(rows.linked_to(session, citizen))

    def end(
        self, session: Session, citizen: str, now: datetime, identity: int | None = None
    ) -> Reply:
        """End the link of this conversation, or send a linked one away; everybody is told."""
        before = rows.linked_to(session, citizen)
        gone = rows.unlink(session, citizen, identity)
        if gone is None:
            return wording.not_linked()
        leaver = session.get_one(Citizen, gone)
        for _, other in before:
            told = wording.tell_sent_away() if other.id == gone else wording.tell_unlinked(leaver)
            queue_message(session, other.id, [told], now)
        log.info("unlinked", citizen=citizen, left=gone)
        return wording.unlinked(None if gone == citizen else leaver)

    def _exhausted(self, session: Session, citizen: str, now: datetime) -> bool:
        since = now - WINDOW
        own = rows.count_attempts(session, GUESS, since, citizen)
        if own > self._settings.link_guesses:
            return True
        everywhere = rows.count_attempts(session, GUESS, since)
        if everywhere > self._settings.link_guesses_everywhere:
            log.error("link_guesses_everywhere", guesses=everywhere)
            return True
        return False

    def _hash(self, code: str) -> str:
        """Hash a code under a key that is not in the database: 10⁸ codes are hashed in a minute."""
        key = self._settings.session_key.get_secret_value().encode()
        return hmac.new(key, f"link-code:{code}".encode(), hashlib.sha256).hexdigest()
