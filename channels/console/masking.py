"""What a role sees of personal data on the console's pages: masked first, opened on demand.

A page shows a :class:`Glimpse`. It is masked until somebody presses 显示, which posts a form;
:func:`opened` then refuses a role that may not, and writes into the audit who opened what. The
table in ``docs/console.md`` is :data:`OPENS` in words (个人信息保护法 第五十一条).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from base.identity import channel_of
from base.masking import mask
from channels.console.doorkeeper import ForbiddenError
from store.agent_models import Agent
from store.privacy import note_access, reveal

SEEN_MASKED, OPENED = "console_masked", "console_opened"
"""Purposes in the audit: a masked value was computed, the whole value was shown."""
HIDDEN = "＊＊＊＊＊＊"
_MARK_CHARS = 8


class Kind(StrEnum):
    """A kind of personal data; the value is what staff call it."""

    NAME = "姓名"
    PHONE = "电话"
    ADDRESS = "详细地址"
    WORDS = "市民原话"
    PHOTO = "照片视频"


_EVERYTHING = frozenset(Kind)
OPENS: dict[str, frozenset[Kind]] = {
    "agent": frozenset({Kind.PHONE}),
    "dispatcher": _EVERYTHING,
    "editor": frozenset(),
    "auditor": frozenset(),
    "admin": _EVERYTHING,
}
"""What each role may open. An agent opens the number of a call he is to make; the words and photos
of the conversation he leads reach him as they are said."""

_WHOLLY_HIDDEN = frozenset({Kind.ADDRESS, Kind.PHOTO})
"""Nothing of these is shown before they are opened: district and street stand beside them."""


@dataclass(frozen=True)
class Glimpse:
    """A personal field as a page shows it; ``text`` is empty when there is none."""

    kind: Kind
    text: str
    is_open: bool
    may_open: bool


def may_open(role: str, kind: Kind) -> bool:
    """Tell whether a role may see the whole of a kind of data."""
    return kind in OPENS[role]


def masked(kind: Kind, value: str) -> str:
    """Return what everybody may see: a name's first character, a phone's ends, words masked."""
    if not value:
        return ""
    if kind in _WHOLLY_HIDDEN:
        return HIDDEN
    if kind is Kind.NAME:
        return value[:1] + "＊" * max(1, len(value) - 1)
    if kind is Kind.PHONE:
        return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else HIDDEN
    return mask(value)


def glimpse(  # noqa: PLR0913
    session: Session, record: Any, column: str, kind: Kind, agent: Agent, *, part: str = ""
) -> Glimpse:
    """Return a field masked; when its value must be read for that, the audit says so.

    Args:
        session: the open unit of work.
        record: a mapped object with an ``id``.
        column: name of an encrypted column.
        kind: what it holds.
        agent: who looks.
        part: key in the column, when it holds an object (``contact``: ``name``, ``phone``).
    """
    if getattr(record, column) is None:
        return Glimpse(kind, "", is_open=False, may_open=False)
    if kind in _WHOLLY_HIDDEN and not part:
        text = HIDDEN
    else:
        text = masked(kind, _read(session, record, column, agent, part, SEEN_MASKED))
    return Glimpse(kind, text, is_open=False, may_open=bool(text) and may_open(agent.role, kind))


def opened(  # noqa: PLR0913
    session: Session, record: Any, column: str, kind: Kind, agent: Agent, *, part: str = ""
) -> Glimpse:
    """Return the whole field, and write into the audit that it was opened.

    Raises:
        ForbiddenError: it is not for this role.
    """
    _allow(agent, kind)
    value = _read(session, record, column, agent, part, OPENED)
    return Glimpse(kind, value, is_open=True, may_open=True)


def note_opened(session: Session, record: str, field: str, kind: Kind, agent: Agent) -> None:
    """Write into the audit that something without a column is shown: a photo (``media:<id>``).

    Raises:
        ForbiddenError: it is not for this role.
    """
    _allow(agent, kind)
    note_access(session, actor_of(agent), OPENED, record, field)


def actor_of(agent: Agent) -> str:
    """Return how the audit names an account."""
    return f"agent:{agent.name}"


def citizen_mark(key: str, citizen_id: str) -> str:
    """Return a citizen as ``<channel>#<mark>``: the same person has the same mark, no more.

    The mark is the beginning of an HMAC-SHA256 under ``key`` (``SHIMIN_SESSION_KEY``): ids of some
    channels can be guessed, and a plain hash of them too.
    """
    digest = hmac.new(key.encode(), f"console-citizen:{citizen_id}".encode(), hashlib.sha256)
    return f"{channel_of(citizen_id)}#{digest.hexdigest()[:_MARK_CHARS]}"


def _allow(agent: Agent, kind: Kind) -> None:
    if not may_open(agent.role, kind):
        raise ForbiddenError


def _read(  # noqa: PLR0913
    session: Session, record: Any, column: str, agent: Agent, part: str, purpose: str
) -> str:
    value = reveal(session, record, column, actor=actor_of(agent), purpose=purpose)
    if part:
        value = (value or {}).get(part)
    return "" if value is None else str(value)
