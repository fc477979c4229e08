"""What Prometheus is told of hand-overs and notices is what the store holds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from base.calendar import CITY_TIME
from dispatch.outbox.figures import take_figures
from enquiries.handover.office import Office, Wish
from store.agent_models import Agent
from store.database import unit_of_work
from store.notice_models import NoticeDelivery
from store.notices import compose
from store.people import citizen
from store.standing import DELIVERY_STATES, OPEN_HANDOVERS
from tests.store.city import CityStore

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=CITY_TIME)


def gauges(name: str, label: str, values: tuple[str, ...]) -> dict[str, float | None]:
    return {value: REGISTRY.get_sample_value(name, {label: value}) for value in values}


def handovers() -> dict[str, float | None]:
    return gauges("shimin_handovers", "state", OPEN_HANDOVERS)


@pytest.fixture
def office(any_store: CityStore) -> Office:
    any_store.configure(HANDOVER_HOURS="mon-fri 09:00-17:30")
    with unit_of_work() as session:
        session.add(Agent(name="甲", password_hash="x", role="agent"))
    return Office(any_store.settings)


def test_hand_overs_are_told_by_state_with_the_age_of_the_queue(office: Office) -> None:
    take_figures(MONDAY)
    assert handovers() == dict.fromkeys(OPEN_HANDOVERS, 0)
    assert REGISTRY.get_sample_value("shimin_handover_oldest_seconds") == 0
    for minute, name in enumerate(("a", "b", "c")):
        with unit_of_work() as session:
            wish = Wish(citizen_id=f"web:{name}", channel="web")
            office.ask(session, wish, MONDAY + timedelta(minutes=minute))
    take_figures(MONDAY + timedelta(minutes=5))
    assert handovers() == {**dict.fromkeys(OPEN_HANDOVERS, 0), "waiting": 3}
    assert REGISTRY.get_sample_value("shimin_handover_oldest_seconds") == 300


def test_notices_are_told_by_what_became_of_them(any_store: CityStore) -> None:
    with unit_of_work() as session:
        citizen(session, "web:1")
        for state in ("delivered", "delivered", "failed"):
            digest = compose(session, "web:1", [], ("mail",), [], MONDAY)
            session.query(NoticeDelivery).filter_by(digest_id=digest.id).one().state = state
    take_figures(MONDAY)
    counted = gauges("shimin_notice_deliveries", "state", DELIVERY_STATES)
    assert counted == {**dict.fromkeys(DELIVERY_STATES, 0), "delivered": 2, "failed": 1}
