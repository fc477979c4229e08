"""What platforms pushed to us, from its arrival to its answer.

A receiver stores and confirms; a worker takes one message at a time of each conversation, in the
order they came. A claim lasts for a lease: what a dead worker held is taken again, under the same
``message_id``, so that whoever handled it before can tell (docs/channels.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from base.identity import channel_of, citizen_id, conversation_of
from store.channel_models import IncomingMessage, OfferedButton
from store.models import OutgoingMessage, plain, utc_now
from store.privacy import reveal

ALBUM_PAUSE = timedelta(seconds=1.5)
"""An album is whole when nothing more of it came for so long."""
MAX_KEY = 100
"""Characters of a platform's name of a message."""


@dataclass(frozen=True)
class Claimed:
    """A message that a worker has in hand; ``attempts`` counts this one.

    ``message_id`` is the same however often it is taken; ``parts`` are one content each.
    """

    id: int
    channel: str
    conversation_id: str
    message_id: str
    received_at: datetime
    attempts: int
    parts: tuple[Any, ...]

    @property
    def citizen(self) -> str:
        """Who sent it."""
        return citizen_id(self.channel, self.conversation_id)


def receive(  # noqa: PLR0913
    session: Session,
    channel: str,
    key: str,
    conversation_id: str,
    content: Any,
    album: str | None = None,
    now: datetime | None = None,
    replaces: str | None = None,
) -> bool:
    """Store what a platform pushed; False when it is there already.

    Messages held back until the citizen writes are sent now. A correction takes the place of what
    it ``replaces`` as long as nobody has taken that; later it is a message like any other.

    Args:
        session: the unit of work.
        channel: name of the channel.
        key: the platform's name of it, unique on the channel.
        conversation_id: whose it is.
        content: JSON-able, in the channel's own form.
        album: what is pushed in parts that belong together has this in common.
        now: the present moment (aware).
        replaces: key of the message that this one corrects.
    """
    moment = now or utc_now()
    due = moment + ALBUM_PAUSE if album else moment
    known = (IncomingMessage.channel == channel) & (IncomingMessage.key == key)
    if session.scalar(select(IncomingMessage.id).where(known)) is not None:
        return False
    row = IncomingMessage(
        channel=channel,
        key=key,
        conversation_id=conversation_id,
        album=album,
        content=plain(content),
        received_at=moment,
        due_at=due,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # pushed twice at the same moment
        return False
    if replaces is not None and _replace(session, channel, replaces, content):
        row.state, row.content = "done", None
    if album:
        session.execute(_gathering(channel, conversation_id, album).values(due_at=due))
    session.execute(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.citizen_id == citizen_id(channel, conversation_id),
            OutgoingMessage.state == "held",
        )
        .values(state="pending", due_at=moment)
    )
    return True


def _replace(session: Session, channel: str, key: str, content: Any) -> bool:
    """Put a correction in the place of a message nobody has taken; tell whether there was one."""
    replaced = session.scalars(
        update(IncomingMessage)
        .where(
            IncomingMessage.channel == channel,
            IncomingMessage.key == key,
            IncomingMessage.state == "pending",
            IncomingMessage.joined_to.is_(None),
        )
        .values(content=plain(content))
        .returning(IncomingMessage.id)
    ).all()
    return bool(replaced)


def _gathering(channel: str, conversation_id: str, album: str) -> Any:
    """The parts of an album that nobody has taken yet."""
    return update(IncomingMessage).where(
        IncomingMessage.channel == channel,
        IncomingMessage.conversation_id == conversation_id,
        IncomingMessage.album == album,
        IncomingMessage.state == "pending",
        IncomingMessage.joined_to.is_(None),
    )


def next_due(session: Session, channels: Collection[str]) -> datetime | None:
    """Return when the next message can be taken; None when none waits."""
    first = _firsts(channels)
    return session.scalar(
        select(func.min(IncomingMessage.due_at)).join(first, IncomingMessage.id == first.c.id)
    )


def claim(
    session: Session, channels: Collection[str], now: datetime, lease: timedelta
) -> Claimed | None:
    """Take the message that is due longest and hide its conversation for ``lease`` (audited)."""
    first = _firsts(channels)
    head = session.scalars(
        select(IncomingMessage)
        .join(first, IncomingMessage.id == first.c.id)
        .where(IncomingMessage.state == "pending", IncomingMessage.due_at <= now)
        .order_by(IncomingMessage.due_at, IncomingMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=IncomingMessage)
    ).first()
    if head is None:
        return None
    if head.joined_to is None:
        head.joined_to = head.id
        if head.album is not None:
            gathered = _gathering(head.channel, head.conversation_id, head.album)
            session.execute(gathered.values(joined_to=head.id))
        session.flush()
    head.attempts += 1
    head.due_at = now + lease
    parts = session.scalars(
        select(IncomingMessage)
        .where(IncomingMessage.joined_to == head.id)
        .order_by(IncomingMessage.id)
    ).all()
    actor = f"citizen:{citizen_id(head.channel, head.conversation_id)}"
    return Claimed(
        id=head.id,
        channel=head.channel,
        conversation_id=head.conversation_id,
        message_id=_message_id(head),
        received_at=head.received_at,
        attempts=head.attempts,
        parts=tuple(
            reveal(session, part, "content", actor=actor, purpose="message") for part in parts
        ),
    )


def _firsts(channels: Collection[str]) -> Any:
    """The oldest pending message of each conversation."""
    return (
        select(func.min(IncomingMessage.id).label("id"))
        .where(IncomingMessage.state == "pending", IncomingMessage.channel.in_(channels))
        .group_by(IncomingMessage.channel, IncomingMessage.conversation_id)
        .subquery()
    )


def _message_id(row: IncomingMessage) -> str:
    return hashlib.sha256(f"{row.channel}:{row.key}".encode()).hexdigest()[:32]


def resume(session: Session, channels: Collection[str], now: datetime) -> None:
    """Take up what a process that is gone had in hand; albums wait for the parts it never saw."""
    waiting = update(IncomingMessage).where(
        IncomingMessage.state == "pending", IncomingMessage.channel.in_(channels)
    )
    session.execute(waiting.where(IncomingMessage.joined_to.is_not(None)).values(due_at=now))
    gathering = IncomingMessage.joined_to.is_(None) & IncomingMessage.album.is_not(None)
    session.execute(waiting.where(gathering).values(due_at=now + 2 * ALBUM_PAUSE))


def settle(session: Session, claimed: Claimed) -> bool:
    """Note that a message is answered and forget its content.

    False when another worker has taken it since (the lease had passed): nothing may be answered
    in this unit of work then.
    """
    return _leave(session, claimed, state="done", content=None, last_error=None)


def try_again(session: Session, claimed: Claimed, error: str, due_at: datetime) -> bool:
    """Give a message back, to be taken again at ``due_at``; False as :func:`settle`."""
    return _leave(session, claimed, due_at=due_at, last_error=error[:200])


def bury(session: Session, claimed: Claimed, error: str) -> bool:
    """Give a message up, for an operator to see; False as :func:`settle`."""
    return _leave(session, claimed, state="dead", last_error=error[:200])


def _leave(session: Session, claimed: Claimed, **values: Any) -> bool:
    head = session.scalars(
        select(IncomingMessage)
        .where(IncomingMessage.id == claimed.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if head.state != "pending" or head.attempts != claimed.attempts:
        return False
    session.execute(
        update(IncomingMessage).where(IncomingMessage.joined_to == claimed.id).values(**values)
    )
    return True


def find_incoming(session: Session, channel: str, key: str) -> IncomingMessage | None:
    """Return a stored message by the platform's name of it."""
    return session.scalars(
        select(IncomingMessage).where(
            IncomingMessage.channel == channel, IncomingMessage.key == key
        )
    ).first()


def dead_incoming(session: Session, limit: int) -> Sequence[IncomingMessage]:
    """Return messages that were given up, newest first: the first part of each."""
    return session.scalars(
        select(IncomingMessage)
        .where(IncomingMessage.state == "dead", IncomingMessage.joined_to == IncomingMessage.id)
        .order_by(IncomingMessage.id.desc())
        .limit(limit)
    ).all()


def revive_incoming(session: Session, message_id: int, now: datetime) -> bool:
    """Handle a message again that was given up; False when it was not."""
    changed = session.scalars(
        update(IncomingMessage)
        .where(IncomingMessage.joined_to == message_id, IncomingMessage.state == "dead")
        .values(state="pending", attempts=0, due_at=now)
        .returning(IncomingMessage.id)
    ).all()
    return bool(changed)


def forget_given_up(session: Session, citizen: str) -> None:
    """Delete the messages of a citizen that nobody answered and what his buttons stand for."""
    session.execute(
        delete(IncomingMessage).where(
            IncomingMessage.channel == channel_of(citizen),
            IncomingMessage.conversation_id == conversation_of(citizen),
            IncomingMessage.state == "dead",
        )
    )
    session.execute(delete(OfferedButton).where(OfferedButton.citizen_id == citizen))


def forget_incoming(session: Session, before: datetime) -> int:
    """Delete what was received before ``before`` and is answered or given up."""
    gone = session.scalars(
        delete(IncomingMessage)
        .where(IncomingMessage.state != "pending", IncomingMessage.received_at < before)
        .returning(IncomingMessage.id)
    ).all()
    return len(gone)
