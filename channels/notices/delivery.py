"""Carries messages out of the house: to mailboxes and group robots, once consent still holds.

At least once: a delivery is claimed for a few minutes, sent, and then noted. What dies in between
is sent again under the same name (see :mod:`channels.notices.mail`). What is away is tried again
with growing pauses for three days; what is refused is kept as ``failed`` for an operator.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from base.errors import ConfigurationError, InputError
from base.settings import Settings
from channels.notices.addresses import check_address
from channels.notices.errors import RefusedError, SendError
from channels.notices.links import unsubscribe_url
from channels.notices.mail import Mail, Mailer
from channels.notices.manners import Manners
from channels.notices.robots import LONGEST_BYTES, Robots, robot_client
from channels.notices.shelf import Policies, Shelf
from channels.notices.wording import Item, plain_text, short_text, subject
from matcher.policy import Policy
from matcher.ranking import excludes
from store.database import unit_of_work
from store.feedback import feedback_of
from store.models import utc_now
from store.notice_contacts import contact, link_of
from store.notice_models import NoticeDelivery, NoticeDigest
from store.notices import claim_delivery, is_wanted, known_notices
from store.privacy import reveal
from store.tickets import city_day

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)
GIVE_UP_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Letter:
    """A message ready to go: where to, with what secret, and what it says."""

    channel: str
    address: str
    secret: str | None
    name: str
    subject: str
    text: str
    unsubscribe: str


class Deliveries:
    """Sends what is due.

    Args:
        settings: mail server, hosts of robots, quiet hours.
        shelf: the policies told of.
        clock: the present moment; for tests and simulations.
    """

    def __init__(
        self, settings: Settings, shelf: Shelf, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._settings = settings
        self._shelf = shelf
        self._clock = clock
        self._manners = Manners.of(settings)

    def send_due(self, now: datetime, seconds: float | None = None) -> int:
        """Send what is due at ``now``, for at most ``seconds``; return how many were taken.

        Nothing is sent in quiet hours. A channel that does not answer is not tried again in the
        same pass.
        """
        if self._manners.is_quiet(now):
            return 0
        policies = self._shelf.policies()
        taken, silent, began = 0, set[str](), time.monotonic()
        with ExitStack() as stack:
            sender = _Sender(self._settings, stack, self._clock)
            while seconds is None or time.monotonic() - began < seconds:
                with unit_of_work() as session:
                    claimed = claim_delivery(session, now, LEASE, silent)
                if claimed is None:
                    break
                taken += self._send(claimed, policies, sender, silent, now)
        return taken

    def _send(
        self,
        claimed: NoticeDelivery,
        policies: Policies,
        sender: _Sender,
        silent: set[str],
        now: datetime,
    ) -> bool:
        try:
            with unit_of_work() as session:
                letter = self._write(session, claimed.id, policies, now)
            if letter is None:
                _settle(claimed.id, "ended")
                return False
            sender.send(letter)
        except (RefusedError, InputError) as error:
            log.error("notice_refused", delivery=claimed.id, detail=error.detail)
            _settle(claimed.id, "failed", error.detail)
            return False
        except (SendError, ConfigurationError) as error:
            if isinstance(error, ConfigurationError) or error.down:
                silent.add(claimed.channel)
            self._again(claimed, error.detail, now)
            return False
        _settle(claimed.id, "delivered", at=now)
        return True

    def _write(
        self, session: Session, delivery_id: int, policies: Policies, now: datetime
    ) -> Letter | None:
        """Return what is to be sent; None when it is wanted or true no more."""
        delivery = session.get_one(NoticeDelivery, delivery_id)
        if not is_wanted(session, delivery):
            return None
        digest = session.get_one(NoticeDigest, delivery.digest_id)
        where = contact(session, digest.citizen_id, delivery.channel)
        items = _still_true(session, digest, policies, now)
        if where is None or not items:
            return None
        opened = {"actor": "notices", "purpose": "policy_notice"}
        address = str(reveal(session, where, "address", **opened))
        secret = reveal(session, where, "secret", **opened) if where.secret is not None else None
        link = link_of(session, digest.citizen_id, delivery.channel)
        way_out = unsubscribe_url(self._settings, link, now)
        name = f"notice.{delivery.id}.{int(delivery.created_at.timestamp())}"
        text = plain_text(items, city_day(now), way_out)
        if delivery.channel != "email":
            number = f"〔{delivery.id}号〕"
            if len((number + text).encode()) > LONGEST_BYTES[delivery.channel]:
                text = short_text(items, city_day(now), way_out)
            text = number + text
        return Letter(
            channel=delivery.channel,
            address=check_address(delivery.channel, address, self._settings),
            secret=secret,
            name=name,
            subject=subject(items),
            text=text,
            unsubscribe=way_out,
        )

    def _again(self, claimed: NoticeDelivery, why: str, now: datetime) -> None:
        if now - claimed.created_at > GIVE_UP_AFTER:
            log.error("notice_given_up", delivery=claimed.id, detail=why)
            _settle(claimed.id, "failed", why)
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(claimed.attempts, 10))
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        log.warning("notice_retry", delivery=claimed.id, channel=claimed.channel, detail=why)
        with unit_of_work() as session:
            delivery = session.get_one(NoticeDelivery, claimed.id)
            delivery.attempts += 1
            delivery.last_error = why[:200]
            delivery.due_at = self._manners.awake(now + pause)


class _Sender:
    """Opens the mail server and the robots' client when the first message needs them."""

    def __init__(self, settings: Settings, stack: ExitStack, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._stack = stack
        self._clock = clock
        self._mailer: Mailer | None = None
        self._robots: Robots | None = None

    def send(self, letter: Letter) -> None:
        """Send one message; raises what :class:`Mailer` and :class:`Robots` do."""
        if letter.channel == "email":
            if self._mailer is None:
                self._mailer = self._stack.enter_context(Mailer(self._settings))
            self._mailer.send(
                Mail(letter.address, letter.subject, letter.text, letter.name, letter.unsubscribe)
            )
            return
        if self._robots is None:
            client = self._stack.enter_context(robot_client())
            self._robots = Robots(client, lambda: self._clock().timestamp())
        self._robots.send(letter.channel, letter.address, letter.secret, letter.text)


def _still_true(
    session: Session, digest: NoticeDigest, policies: Policies, now: datetime
) -> tuple[Item, ...]:
    """Return the policies of a message that are still as they were told.

    Left out are those gone, in another version, closed, applied for or declined meanwhile.
    """
    said = feedback_of(session, digest.citizen_id)
    found: dict[str, Item] = {}
    for notice in digest.notices:
        policy = policies.by_id.get(notice.policy_id)
        if (
            policy is not None
            and policy.version == notice.version
            and policy.id not in said
            and policy.window.state(city_day(now)) != "closed"
        ):
            found.setdefault(policy.id, Item(policy, notice.trigger))
    told = {name for name, _, _ in known_notices(session, digest.citizen_id)} - set(said)
    return tuple(
        Item(item.policy, item.trigger, _choices(item.policy, told, policies))
        for item in found.values()
    )


def _choices(policy: Policy, told: set[str], policies: Policies) -> tuple[Policy, ...]:
    """Return the policies the person was told of that cannot be had beside this one."""
    others = [policies.by_id[name] for name in sorted(told - {policy.id}) if name in policies.by_id]
    return tuple(other for other in others if excludes(policy, other))


def _settle(
    delivery_id: int, state: str, error: str | None = None, at: datetime | None = None
) -> None:
    with unit_of_work() as session:
        delivery = session.get_one(NoticeDelivery, delivery_id)
        delivery.state, delivery.delivered_at = state, at
        delivery.last_error = error[:200] if error else None
        delivery.attempts += 1
