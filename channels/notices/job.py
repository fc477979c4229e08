"""Policy notices as regular jobs of the relay process."""

from __future__ import annotations

from datetime import datetime, timedelta

from base.settings import Settings
from channels.notices.delivery import Deliveries
from channels.notices.manners import Manners
from channels.notices.rounds import Rounds
from channels.notices.shelf import Shelf
from dispatch.outbox.housekeeping import DAY_SECONDS, Job
from store.database import unit_of_work
from store.notices import forget_sent

LOOK_SECONDS = 60.0
SEND_SECONDS = 15.0
BUDGET_SECONDS = 8.0
"""The relay has complaints to carry: what is left over waits for the next time."""


def notice_jobs(settings: Settings) -> tuple[Job, ...]:
    """Return the jobs: who hears what, what goes out, what is forgotten."""
    shelf = Shelf(settings.policies_dir)
    rounds = Rounds(shelf, Manners.of(settings))
    deliveries = Deliveries(settings, shelf)

    def forget(now: datetime) -> None:
        with unit_of_work() as session:
            forget_sent(session, now - timedelta(days=settings.notice_keep_days))

    return (
        Job("notice_rounds", lambda now: rounds.look(now, seconds=BUDGET_SECONDS), LOOK_SECONDS),
        Job(
            "notice_deliveries",
            lambda now: deliveries.send_due(now, seconds=BUDGET_SECONDS),
            SEND_SECONDS,
        ),
        Job("notice_expiry", forget, DAY_SECONDS),
    )
