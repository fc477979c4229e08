"""Policy notices: whom to look at, what was told, what waits on which channel, what was said.

Exactly once is a constraint of the table (``uq_policy_notices``), not a promise of the caller:
two processes that compose the same notice cannot both commit it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from store.database import insert_missing
from store.feedback import REMIND, feedback_of, reminders_of, save_feedback
from store.identities import mine
from store.models import Citizen, Subscription
from store.notice_models import (
    NoticeDelivery,
    NoticeDigest,
    NoticeWatch,
    PolicyFeedback,
    PolicyNotice,
    PolicyVersion,
)
from store.people import (
    CHAT,
    Told,
    channels_of,
    queue_message,
    read_profiles,
    read_told,
)

Key = tuple[str, int, str]
"""Policy, version and slot of a notice."""

BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""When the versions were first seen that were there when notices began: they are no news."""


_LONGEST_WAY = timedelta(days=7)
"""No message is on its way for longer."""


@dataclass(frozen=True)
class Person:
    """Everything that decides what a person may hear now.

    Args:
        citizen_id: who it is.
        profiles: what is known, by kind.
        told: when it was told.
        channels: where he wants to hear of policies.
        news_since: from when policies are news to him at his first look; None when everything
            he qualifies for is (a contact registered outside the chat has been shown nothing).
        known: what he was told, or has seen, in any linked conversation.
        received: policies he has applied for.
        declined: policies he does not want to hear of.
        reminded: policies whose closing he asked to be reminded of.
        digests: the last messages to him, newest first: when each was written, and when it
            arrived where it took longest (now, while it is still on its way).
        watch: his last look; None before the first.
    """

    citizen_id: str
    profiles: Mapping[str, Mapping[str, Any]]
    told: Told
    channels: tuple[str, ...]
    news_since: datetime | None
    known: frozenset[Key]
    received: frozenset[str]
    declined: frozenset[str]
    reminded: frozenset[str]
    digests: tuple[tuple[datetime, datetime], ...]
    watch: NoticeWatch | None


def note_versions(
    session: Session, versions: Iterable[tuple[str, int]], now: datetime
) -> Mapping[tuple[str, int], datetime]:
    """Remember when each ``(policy, version)`` was first here; return that for all ever seen."""
    seen = {(row.policy_id, row.version): row.first_seen_at for row in _versions(session)}
    first = BEFORE_ALL if not seen else now
    for key in sorted(set(versions) - set(seen)):
        row = PolicyVersion(policy_id=key[0], version=key[1], first_seen_at=first)
        insert_missing(session, row, key)
        seen[key] = first
    return seen


def _versions(session: Session) -> Sequence[PolicyVersion]:
    return session.scalars(select(PolicyVersion)).all()


def due_people(  # noqa: PLR0913
    session: Session, now: datetime, fingerprint: str, settle: timedelta, after: str, limit: int
) -> list[str]:
    """Return citizens above the id ``after`` who want to hear of policies and are to be looked at.

    Their rows are locked. They are subscribed and something is known of them, or they asked to be
    reminded of the end of a window.

    To be looked at are the ones never looked at, those whose next look is due, those whose profile
    has changed since, and everybody when the policies have (``fingerprint``). Whoever changed his
    profile within ``settle`` is left alone: he is still in a conversation about it.
    """
    subscribed = select(Subscription.citizen_id).where(Subscription.ended_at.is_(None))
    reminded = select(PolicyFeedback.citizen_id).where(PolicyFeedback.feedback == REMIND)
    statement = (
        select(Citizen.id)
        .outerjoin(NoticeWatch, NoticeWatch.citizen_id == Citizen.id)
        .where(
            Citizen.id > after,
            or_(
                and_(Citizen.id.in_(subscribed), Citizen.profile.is_not(None)),
                Citizen.id.in_(reminded),
            ),
            or_(Citizen.profile_changed_at.is_(None), Citizen.profile_changed_at <= now - settle),
            or_(
                NoticeWatch.citizen_id.is_(None),
                NoticeWatch.next_at <= now,
                NoticeWatch.fingerprint != fingerprint,
                Citizen.profile_changed_at > NoticeWatch.looked_at,
            ),
        )
        .order_by(Citizen.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Citizen)
    )
    return list(session.scalars(statement))


def read_person(
    session: Session, citizen_id: str, purpose: str, now: datetime, recent: datetime
) -> Person:
    """Return what is known of a person (audited); messages are those arrived since ``recent``."""
    with session.no_autoflush:  # the audit is written once, with the batch
        active = session.scalars(
            select(Subscription).where(
                Subscription.citizen_id == citizen_id, Subscription.ended_at.is_(None)
            )
        ).all()
        feedback = feedback_of(session, citizen_id)
        only_chat = all(row.channel == CHAT for row in active)
        return Person(
            citizen_id=citizen_id,
            profiles=read_profiles(session, citizen_id, purpose),
            told=read_told(session, citizen_id, purpose),
            channels=tuple(sorted(row.channel for row in active)),
            news_since=min((row.created_at for row in active), default=None) if only_chat else None,
            known=known_notices(session, citizen_id),
            received=frozenset(name for name, said in feedback.items() if said == "applied"),
            declined=frozenset(name for name, said in feedback.items() if said == "declined"),
            reminded=reminders_of(session, citizen_id),
            digests=_arrivals(session, citizen_id, now, recent),
            watch=session.get(NoticeWatch, citizen_id),
        )


def _arrivals(
    session: Session, citizen_id: str, now: datetime, recent: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Return when each message was written and when it arrived: in the inbox it is at once."""
    rows = session.execute(
        select(
            NoticeDigest.id,
            NoticeDigest.created_at,
            NoticeDelivery.channel,
            NoticeDelivery.state,
            NoticeDelivery.delivered_at,
        )
        .join(NoticeDelivery, NoticeDelivery.digest_id == NoticeDigest.id)
        .where(
            NoticeDigest.citizen_id.in_(mine(session, citizen_id)),
            NoticeDigest.created_at > recent - _LONGEST_WAY,
        )
    )
    found: dict[int, tuple[datetime, datetime]] = {}
    for digest, written, channel, state, delivered in rows:
        arrived = written
        if channel != CHAT:
            arrived = now if state == "queued" else delivered or written
        found[digest] = (written, max(arrived, found.get(digest, (written, written))[1]))
    return tuple(sorted((pair for pair in found.values() if pair[1] > recent), reverse=True))


def known_notices(session: Session, citizen_id: str) -> frozenset[Key]:
    """Return what the citizen was told, or has seen, in any of his linked conversations."""
    return _known(session, mine(session, citizen_id))


def _known(session: Session, citizen_ids: Sequence[str]) -> frozenset[Key]:
    rows = session.execute(
        select(PolicyNotice.policy_id, PolicyNotice.version, PolicyNotice.slot).where(
            PolicyNotice.citizen_id.in_(citizen_ids)
        )
    )
    return frozenset((row.policy_id, row.version, row.slot) for row in rows)


def note_known(
    session: Session, citizen_id: str, versions: Iterable[tuple[str, int]], now: datetime
) -> None:
    """Note that the citizen has seen versions of policies: nobody needs to tell him."""
    _note(session, citizen_id, tuple(versions), "match", now)


def _note(
    session: Session,
    citizen_id: str,
    versions: Sequence[tuple[str, int]],
    slot: str,
    now: datetime,
) -> None:
    if not versions:
        return
    known = _known(session, (citizen_id,))
    for policy_id, version in versions:
        if (policy_id, version, slot) not in known:
            session.add(
                PolicyNotice(
                    citizen_id=citizen_id,
                    policy_id=policy_id,
                    version=version,
                    slot=slot,
                    trigger="known",
                    created_at=now,
                )
            )
    session.flush()


def save_reminder(
    session: Session, citizen_id: str, version: tuple[str, int], stage: str | None, now: datetime
) -> None:
    """Remind the citizen of the end of a policy's window.

    Args:
        session: of the transaction.
        citizen_id: who asked.
        version: the policy's id and version.
        stage: at which the window is now; he knows it and is not told again. None for none.
        now: the moment he asked.
    """
    policy_id = version[0]
    save_feedback(session, citizen_id, policy_id, REMIND, now)
    if stage is not None:
        _note(session, citizen_id, (version,), stage, now)


def note_look(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    *,
    now: datetime,
    fingerprint: str,
    next_at: datetime,
    settled: bool,
) -> None:
    """Note a look at a person; ``settled`` when nothing is left to tell."""
    watch = session.get(NoticeWatch, citizen_id)
    if watch is None:
        watch = NoticeWatch(citizen_id=citizen_id)
        session.add(watch)
    watch.looked_at, watch.fingerprint, watch.next_at = now, fingerprint, next_at
    if settled:
        watch.settled_at = now


def compose(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    notices: Iterable[tuple[Key, str]],
    channels: Iterable[str],
    chat_replies: list[dict[str, Any]],
    now: datetime,
) -> NoticeDigest:
    """Write one message: its notices (key and trigger) and a delivery for each channel.

    The chat's goes into the inbox in the same transaction.

    Raises:
        IntegrityError: one of the notices was told already; nothing of this is kept.
    """
    digest = NoticeDigest(citizen_id=citizen_id, created_at=now)
    session.add(digest)
    session.flush()
    for (policy_id, version, slot), trigger in notices:
        session.add(
            PolicyNotice(
                citizen_id=citizen_id,
                policy_id=policy_id,
                version=version,
                slot=slot,
                trigger=trigger,
                created_at=now,
                digest_id=digest.id,
            )
        )
    for channel in channels:
        delivery = NoticeDelivery(digest_id=digest.id, channel=channel, created_at=now, due_at=now)
        if channel == CHAT:
            message = queue_message(session, citizen_id, chat_replies, now)
            session.flush()
            delivery.message_id = message.id
        session.add(delivery)
    session.flush()
    return digest


# --- deliveries ---------------------------------------------------------------------------


def claim_delivery(
    session: Session, now: datetime, lease: timedelta, without: Iterable[str]
) -> NoticeDelivery | None:
    """Take the oldest due delivery and hide it for ``lease``; not the chat's, not ``without``."""
    found = session.scalars(
        select(NoticeDelivery)
        .where(
            NoticeDelivery.state == "queued",
            NoticeDelivery.due_at <= now,
            NoticeDelivery.channel.not_in((CHAT, *without)),
        )
        .order_by(NoticeDelivery.due_at, NoticeDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if found is not None:
        found.due_at = now + lease
    return found


def is_wanted(session: Session, delivery: NoticeDelivery) -> bool:
    """Tell whether the channel of a delivery is still subscribed."""
    digest = session.get_one(NoticeDigest, delivery.digest_id)
    return delivery.channel in channels_of(session, digest.citizen_id)


def find_deliveries(session: Session, state: str) -> Sequence[NoticeDelivery]:
    """Return the deliveries of a state, oldest first."""
    return session.scalars(
        select(NoticeDelivery).where(NoticeDelivery.state == state).order_by(NoticeDelivery.id)
    ).all()


def revive_failed(session: Session, now: datetime) -> int:
    """Queue what has failed anew, as if it were written now; return how many."""
    failed = find_deliveries(session, "failed")
    for delivery in failed:
        _queue_anew(delivery, now)
    return len(failed)


def revive_delivery(session: Session, delivery_id: int, now: datetime) -> bool:
    """Queue one delivery that has failed anew; False when it has not."""
    delivery = session.get(NoticeDelivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.state != "failed":
        return False
    _queue_anew(delivery, now)
    return True


def _queue_anew(delivery: NoticeDelivery, now: datetime) -> None:
    delivery.state, delivery.attempts = "queued", 0
    delivery.created_at = delivery.due_at = now


def count_deliveries(session: Session) -> dict[tuple[str, str], int]:
    """Count deliveries by channel and state."""
    columns = (NoticeDelivery.channel, NoticeDelivery.state)
    rows = session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns))
    return {(channel, state): count for channel, state, count in rows}


# --- numbers and forgetting ---------------------------------------------------------------


def subscribers(session: Session) -> list[str]:
    """Return the ids of everybody who wants to hear of policies and of whom something is known."""
    active = select(Subscription.citizen_id).where(Subscription.ended_at.is_(None))
    statement = select(Citizen.id).where(Citizen.id.in_(active), Citizen.profile.is_not(None))
    return list(session.scalars(statement.order_by(Citizen.id)))


def outcomes(session: Session) -> dict[str, dict[str, set[str]]]:
    """Return what became of each policy's notices: ids of people by policy.

    Keys of the inner dictionaries are ``notified`` (a message arrived on some channel),
    ``opened`` (afterwards he asked about this policy in the chat), ``seen`` (it was shown to him in
    the chat without a notice) and ``applied``. Messages that :func:`forget_sent` has deleted do
    not count.
    """
    found: dict[str, dict[str, set[str]]] = {}

    def add(policy_id: str, what: str, citizen_id: str) -> None:
        found.setdefault(policy_id, {}).setdefault(what, set()).add(citizen_id)

    told = (
        select(PolicyNotice.policy_id, PolicyNotice.citizen_id, PolicyNotice.opened_at)
        .join(NoticeDelivery, NoticeDelivery.digest_id == PolicyNotice.digest_id)
        .where(NoticeDelivery.state.in_(("delivered", "opened")))
    )
    for policy_id, citizen_id, opened_at in session.execute(told):
        add(policy_id, "notified", citizen_id)
        if opened_at is not None:
            add(policy_id, "opened", citizen_id)
    seen = select(PolicyNotice.policy_id, PolicyNotice.citizen_id).where(
        PolicyNotice.trigger == "known", PolicyNotice.slot == "match"
    )
    for policy_id, citizen_id in session.execute(seen):
        add(policy_id, "seen", citizen_id)
    applied = select(PolicyFeedback.policy_id, PolicyFeedback.citizen_id).where(
        PolicyFeedback.feedback == "applied"
    )
    for policy_id, citizen_id in session.execute(applied):
        add(policy_id, "applied", citizen_id)
    return found


def forget_sent(session: Session, before: datetime) -> None:
    """Delete messages written before ``before`` with their deliveries.

    That a version was told stays as long as the person is known, or it would be told again.
    """
    old = select(NoticeDigest.id).where(NoticeDigest.created_at < before)
    session.execute(delete(NoticeDelivery).where(NoticeDelivery.digest_id.in_(old)))
    session.execute(
        update(PolicyNotice).where(PolicyNotice.digest_id.in_(old)).values(digest_id=None)
    )
    session.execute(delete(NoticeDigest).where(NoticeDigest.created_at < before))
