"""How the installation stands, in counts: nothing here tells of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.erasures import waiting_since
from store.handover_models import Handover
from store.notice_models import NoticeDelivery
from store.outbox import backlog
from store.tickets import outbox_summary

ENTRY_STATES = ("pending", "sent", "dead")
OPEN_HANDOVERS = ("offered", "waiting", "serving", "callback")
DELIVERY_STATES = ("queued", "delivered", "opened", "failed", "ended")


@dataclass(frozen=True)
class Standing:
    """Counts by state, and since when (aware) the first of each queue waits."""

    outbox: dict[str, int]
    outbox_oldest: datetime | None
    handovers: dict[str, int]
    handover_oldest: datetime | None
    notices: dict[str, int]
    erasure_oldest: datetime | None


def standing(session: Session) -> Standing:
    """Count what waits and what failed."""
    handovers = (
        select(Handover.state, func.count())
        .where(Handover.state.in_(OPEN_HANDOVERS))
        .group_by(Handover.state)
    )
    queue = select(func.min(Handover.queued_at)).where(Handover.state == "waiting")
    notices = select(NoticeDelivery.state, func.count()).group_by(NoticeDelivery.state)
    return Standing(
        outbox=outbox_summary(session),
        outbox_oldest=backlog(session).oldest,
        handovers=dict(session.execute(handovers).all()),
        handover_oldest=session.scalar(queue),
        notices=dict(session.execute(notices).all()),
        erasure_oldest=waiting_since(session),
    )
