"""Hand-overs as regular jobs of the relay process."""

from __future__ import annotations

from base.settings import Settings
from dispatch.outbox.housekeeping import DAY_SECONDS, Job, in_unit_of_work
from enquiries.handover.office import Office
from enquiries.handover.tending import Tending

TEND_SECONDS = 15.0


def handover_jobs(settings: Settings) -> tuple[Job, ...]:
    """Return the jobs: long waits and silence, and what is forgotten."""
    tending = Tending(settings, Office(settings))
    return (
        Job("handovers", in_unit_of_work(tending.tend), TEND_SECONDS),
        Job("handover_expiry", in_unit_of_work(tending.forget), DAY_SECONDS),
    )
