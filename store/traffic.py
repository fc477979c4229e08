"""How the queues of channels stand, for operators and for the health of an installation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.channel_models import IncomingMessage
from store.models import OutgoingMessage


@dataclass
class Traffic:
    """Rows of one channel by state; ``oldest`` is the moment the longest due row was due."""

    received: dict[str, int] = field(default_factory=dict)
    outgoing: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None


def traffic(session: Session, channels: Collection[str]) -> dict[str, Traffic]:
    """Return how each of ``channels`` stands."""
    found = {name: Traffic() for name in channels}
    for model, counts in ((IncomingMessage, "received"), (OutgoingMessage, "outgoing")):
        rows = session.execute(
            select(model.channel, model.state, func.count(), func.min(model.due_at))
            .where(model.channel.in_(channels))
            .group_by(model.channel, model.state)
        )
        for channel, state, count, due in rows:
            getattr(found[channel], counts)[state] = count
            if state == "pending":
                oldest = found[channel].oldest
                found[channel].oldest = due if oldest is None else min(oldest, due)
    return found
