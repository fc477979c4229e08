from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from dispatch.classification.categories import Categories
from dispatch.outbox.housekeeping import Housekeeping, Job, in_unit_of_work, jobs
from store.models import Citizen, utc_now
from tests.store.city import CityStore


def test_one_failing_job_stops_no_other_and_is_logged_once_a_cause(city_store: CityStore) -> None:
    trouble: list[Exception | None] = [ValueError("a"), ValueError("b"), OSError(), None, OSError()]
    done: list[datetime] = []

    def fail(session: Session, now: datetime) -> None:
        session.add(Citizen(id=f"web:{len(done)}"))
        session.flush()
        error = trouble[len(done)]
        if error is not None:
            raise error

    house = Housekeeping((Job("bad", in_unit_of_work(fail), 0.0), Job("good", done.append, 0.0)))
    with capture_logs() as logs:
        for _ in trouble:
            house.run(utc_now())
    assert len(done) == len(trouble)
    assert [(log["event"], log.get("error")) for log in logs] == [
        ("job_failed", "ValueError"),
        ("job_failed", "OSError"),
        ("job_works_again", None),
        ("job_failed", "OSError"),
    ]
    assert [row.id for row in city_store.rows(Citizen)] == ["web:3"]  # what failed left nothing


def test_every_job_runs_on_an_empty_store(city_store: CityStore, categories: Categories) -> None:
    found = jobs(city_store.settings, categories, "市热线办")
    assert len({job.name for job in found}) == len(found)
    for job in found:
        job.work(utc_now())


def test_each_job_has_its_own_pace() -> None:
    done: list[str] = []
    house = Housekeeping(
        (
            Job("often", lambda _: done.append("often"), 10.0),
            Job("rare", lambda _: done.append("rare")),
        )
    )
    for second in range(0, 601, 5):
        house.run(utc_now(), clock=lambda second=second: float(second))
    assert done.count("often") == 61
    assert done.count("rare") == 3


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_job_does_not_swallow_the_end_of_the_process(stop: type[BaseException]) -> None:
    def end(_now: datetime) -> None:
        raise stop

    with pytest.raises(stop):
        Housekeeping((Job("end", end),)).run(utc_now())
