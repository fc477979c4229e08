from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.settings import Settings
from dispatch.case.deadlines import call_for_overdue
from dispatch.case.filing import withdraw
from dispatch.classification.categories import Categories
from dispatch.open311 import MAX_DESCRIPTION_CHARS
from dispatch.places.atlas import METRES_PER_DEGREE
from dispatch.reporting.intake import Draft
from dispatch.similar import hotspots as module
from dispatch.similar.hotspot_alert import LISTED, alert_text, office_of
from dispatch.similar.hotspots import PEOPLE, REPORTER, HotSpots, cluster_of, reach_metres
from dispatch.similar.joining import join
from store.database import unit_of_work
from store.models import HotSpot, HotSpotReport, OutboxEntry, OutgoingMessage, Ticket, plain
from store.nearby import Report
from store.people import citizen, queue_message
from store.privacy import reveal
from store.tickets import add_event, city_day, new_ticket_id
from tests.dispatch.conftest import HERE
from tests.dispatch.relaying import File, MakeRelay, drain
from tests.dispatch.servers import Desk
from tests.store.city import CityStore

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KIND = "waste.garbage"
LATITUDE, LONGITUDE = 30.2741, 120.1551


@pytest.fixture
def watch(city_store: CityStore, categories: Categories) -> HotSpots:
    return HotSpots(city_store.settings.city_dir, categories)


@pytest.fixture
def report(city_store: CityStore) -> Callable[..., str]:
    """Store a complaint at so many metres from the middle; gives its number."""

    def file(who: str, at: datetime = NOW, metres: float = 0.0, **changes: Any) -> str:
        with unit_of_work() as session:
            citizen(session, who)
            number = new_ticket_id(session, city_day(at))
            values = {
                "id": number,
                "citizen_id": who,
                "draft_id": f"d-{number}",
                "created_at": at,
                "updated_at": at,
                "status": "submitted",
                "category": KIND,
                "severity": "normal",
                "department": "市城市管理局",
                "latitude": LATITUDE + metres / METRES_PER_DEGREE,
                "longitude": LONGITUDE,
                "description": plain("垃圾没人收，我是张三13812345678"),
                "address": plain("春风里3栋502"),
            }
            session.add(Ticket(**{**values, **changes}))
        return number

    return file


def observe(watch: HotSpots, number: str, now: datetime = NOW) -> HotSpot | None:
    with unit_of_work() as session:
        return watch.observe(session, session.get_one(Ticket, number), now)


def alerts(store: CityStore) -> list[Ticket]:
    return [ticket for ticket in store.rows(Ticket) if ticket.kind == "hot_spot"]


def text_of(ticket: Ticket) -> str:
    with unit_of_work() as session:
        return str(reveal(session, ticket, "description", actor="test", purpose="test"))


def burst(report: Callable[..., str], count: int, start: int = 0, **changes: Any) -> list[str]:
    return [
        report(f"web:{start + i}", NOW - timedelta(hours=i), metres=4.0 * i, **changes)
        for i in range(count)
    ]


# --- the fifteenth report -----------------------------------------------------------------


def test_fourteen_people_are_no_hot_spot_and_fifteen_are(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    numbers = burst(report, PEOPLE - 1)
    assert all(observe(watch, number) is None for number in numbers)
    assert alerts(city_store) == []
    last = report("web:99")
    spot = observe(watch, last)
    assert spot is not None
    (alert,) = alerts(city_store)
    assert spot.alert_id == alert.id
    assert (alert.category, alert.severity, alert.status) == (KIND, "urgent", "submitted")
    assert (alert.citizen_id, alert.department) == (REPORTER, "文昌街道办事处")
    assert (alert.district, alert.street) == ("云东区", "文昌街道")
    assert {row.ticket_id for row in city_store.rows(HotSpotReport)} == {*numbers, last}
    (entry,) = city_store.rows(OutboxEntry)
    assert (entry.kind, entry.ticket_id, entry.state) == ("request", alert.id, "pending")


def test_the_warning_lists_reports_and_no_personal_data(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    numbers = burst(report, PEOPLE)
    with unit_of_work() as session:
        session.get_one(Ticket, numbers[0]).external_id = "YZ-7"
    observe(watch, numbers[0])
    text = text_of(alerts(city_store)[0])
    assert "15位市民反映“生活垃圾”" in text
    assert "涉及工单15件" in text
    assert "文昌街道办事处" in text
    assert all(number in text for number in numbers)
    assert "派单号 YZ-7" in text
    for secret in ("张三", "13812345678", "502", "没人收", "web:"):
        assert secret not in text
    assert len(text) <= MAX_DESCRIPTION_CHARS


def test_one_person_with_twenty_complaints_is_no_hot_spot(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    for i in range(20):
        number = report("web:1", NOW - timedelta(hours=i))
    assert observe(watch, number) is None
    assert alerts(city_store) == []


def test_followers_count_as_people(
    watch: HotSpots, report: Callable[..., str], make_draft: Callable[..., Draft],
    city_store: CityStore,
) -> None:  # fmt: skip
    number = report("web:0")
    for i in range(1, PEOPLE):
        with unit_of_work() as session:
            join(session, number, f"web:{i}", make_draft())
        found = observe(watch, number, datetime.now(UTC))
        assert (found is not None) is (i == PEOPLE - 1)
    assert "涉及工单1件" in text_of(alerts(city_store)[0])
    assert "另有14人关注" in text_of(alerts(city_store)[0])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"category": "city.other"}, "another kind"),
        ({"status": "withdrawn"}, "withdrawn"),
        ({"created_at": NOW - timedelta(days=8)}, "too old"),
        ({"latitude": LATITUDE + 0.02}, "too far"),
        ({"latitude": None, "longitude": None}, "nowhere"),
        ({"kind": "hot_spot"}, "a warning"),
    ],
)
def test_what_does_not_count(
    watch: HotSpots, report: Callable[..., str], changes: dict[str, Any], why: str
) -> None:
    numbers = burst(report, PEOPLE - 1)
    odd = report("web:99", **changes)
    assert observe(watch, odd) is None, why
    assert observe(watch, numbers[0]) is None, why


def test_a_whole_road_is_not_one_place(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    match = watch.gazetteer.find("解放路")[0]
    assert match.kind == "road"
    assert watch.gazetteer.is_vague(match.latitude, match.longitude)
    for i in range(20):
        number = report(f"web:{i}", latitude=match.latitude, longitude=match.longitude)
    assert observe(watch, number) is None
    assert alerts(city_store) == []


# --- growing, doubling, ending ------------------------------------------------------------


def test_a_hot_spot_grows_without_a_second_warning_until_it_doubles(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    observe(watch, burst(report, PEOPLE)[0])
    for i in range(PEOPLE - 1):
        moment = NOW + timedelta(minutes=i)
        spot = observe(watch, report(f"web:{100 + i}", moment), moment)
        assert spot is not None
    assert len(alerts(city_store)) == 1
    moment = NOW + timedelta(hours=1)
    observe(watch, report("web:500", moment), moment)
    first, second = alerts(city_store)
    assert "30位市民" in text_of(second)
    assert first.id in text_of(second)
    assert len(city_store.rows(HotSpot)) == 1
    assert city_store.rows(HotSpot)[0].alert_id == second.id
    observe(watch, report("web:501", moment), moment)
    assert len(alerts(city_store)) == 2


def test_it_is_warned_of_anew_after_seven_quiet_days(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    observe(watch, burst(report, PEOPLE)[0])
    later = NOW + timedelta(days=8)
    for i in range(PEOPLE):
        number = report(f"web:{i}", later)
        observe(watch, number, later)
    assert len(alerts(city_store)) == 2
    assert len(city_store.rows(HotSpot)) == 2


def test_observing_again_changes_nothing(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore
) -> None:
    numbers = burst(report, PEOPLE)
    for _ in range(3):
        for number in numbers:
            observe(watch, number)
    assert len(alerts(city_store)) == len(city_store.rows(HotSpot)) == 1
    assert len(city_store.rows(HotSpotReport)) == PEOPLE


# --- the watch ----------------------------------------------------------------------------


def test_the_watch_sees_each_report_once_and_a_new_process_looks_back(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore, categories: Categories
) -> None:
    burst(report, PEOPLE - 1)
    assert watch.observe_new(NOW) == PEOPLE - 1
    assert watch.observe_new(NOW) == 0
    report("web:99", NOW + timedelta(minutes=1))
    assert watch.observe_new(NOW + timedelta(minutes=2)) == 1
    assert len(alerts(city_store)) == 1
    again = HotSpots(city_store.settings.city_dir, categories)  # the process died and came back
    again.observe_new(NOW + timedelta(minutes=3))
    assert len(alerts(city_store)) == 1


def test_a_late_commit_and_a_long_queue_are_not_lost(
    watch: HotSpots, report: Callable[..., str]
) -> None:
    burst(report, 10)
    seen = [watch.observe_new(NOW, limit=4) for _ in range(4)]
    assert seen == [4, 4, 2, 0]
    report("web:77", NOW - timedelta(seconds=30))  # committed after the watch had gone by
    assert watch.observe_new(NOW + timedelta(seconds=10)) == 1


def test_a_crash_in_the_middle_leaves_no_half_hot_spot(
    watch: HotSpots, report: Callable[..., str], city_store: CityStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    burst(report, PEOPLE)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(module, "queue_outbox", fail)
        with pytest.raises(OSError, match="power"):
            watch.observe_new(NOW)
    assert city_store.rows(HotSpot) == alerts(city_store) == city_store.rows(OutboxEntry) == []
    watch.observe_new(NOW)
    assert len(alerts(city_store)) == 1


def test_two_watches_warn_once(
    report: Callable[..., str], city_store: CityStore, categories: Categories
) -> None:
    burst(report, PEOPLE)
    start = threading.Barrier(4)

    def look(_: int) -> None:
        watch = HotSpots(city_store.settings.city_dir, categories)
        start.wait()
        watch.observe_new(NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(4)))
    assert len(alerts(city_store)) == len(city_store.rows(HotSpot)) == 1


def test_the_warning_reaches_the_desk_as_its_own_work_order_and_no_citizen(
    watch: HotSpots, desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore,
    categories: Categories,
) -> None:  # fmt: skip
    relay = make_relay()
    with desk.up():
        for i in range(PEOPLE):
            filed(f"web:{i}", category=KIND, place=HERE)
        drain(relay)
        watch.observe_new(datetime.now(UTC))
        drain(relay)
        requests = desk.requests()
        assert len(requests) == PEOPLE + 1
        warning = next(r for r in requests if "热点预警" in (r.description or ""))
        assert warning.description.startswith("【紧急】")
        assert requests[-1].request_id in warning.description
        desk.act(warning.request_id, "accept")
        relay.poll()
    (alert,) = alerts(city_store)
    assert (alert.status, alert.external_id) == ("accepted", warning.request_id)
    with unit_of_work() as session:
        call_for_overdue(session, categories, datetime.now(UTC) + timedelta(days=90), "市热线办")
    who = {message.citizen_id for message in city_store.rows(OutgoingMessage)}
    assert REPORTER not in who
    with unit_of_work() as session:
        queue_message(session, "web:1", [])
        withdraw(session, REPORTER, alert.id)  # nothing in the way of an operator either
        add_event(session, session.get_one(Ticket, alert.id), "withdrawn", actor="test")


# --- the words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("street", "office"),
    [("文昌街道", "文昌街道办事处"), ("新安镇", "新安镇人民政府"), ("青山乡", "青山乡人民政府")],
)
def test_offices(street: str, office: str) -> None:
    assert office_of(street) == office


def test_every_street_of_the_city_has_an_office(categories: Categories) -> None:
    atlas = HotSpots(Settings().city_dir, categories).gazetteer.atlas
    offices = [office_of(s.name) for district in atlas.districts for s in district.streets]
    assert all(office.endswith(("街道办事处", "镇人民政府")) for office in offices)


def test_a_very_long_list_is_cut(categories: Categories) -> None:
    complaints = [
        Ticket(
            id=f"SM20261121{i:06d}",
            external_id=f"YZ20261121{i:06d}",
            created_at=NOW,
            status="in_progress",
            followers=[],
        )
        for i in range(LISTED + 40)
    ]
    text = alert_text("文昌街道办事处", categories[KIND], "文昌路", complaints, 100, None)
    assert len("【紧急】" + text) <= MAX_DESCRIPTION_CHARS
    assert "更早的40件从略" in text
    assert complaints[-1].id in text


# --- clustering ---------------------------------------------------------------------------


def spread(points: list[tuple[float, float]]) -> list[Report]:
    shrink = math.cos(math.radians(LATITUDE))
    return [
        Report(
            f"SM{i:014d}",
            f"web:{i}",
            NOW,
            LATITUDE + north / METRES_PER_DEGREE,
            LONGITUDE + east / METRES_PER_DEGREE / shrink,
        )
        for i, (east, north) in enumerate(points)
    ]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=1, max_size=60),
    st.sampled_from([120.0, 300.0]),
)
def test_a_cluster_is_around_one_place_and_its_reports_are_given_ones(
    points: list[tuple[float, float]], reach: float
) -> None:
    reports = spread(points)
    found = cluster_of(reports, LATITUDE, LONGITUDE, reach)
    if found is None:
        return
    assert set(found.reports) <= set(reports)
    assert len(found.ticket_ids) == found.people == len(found.reports)
    shrink = math.cos(math.radians(LATITUDE))
    for one in found.reports:
        away = math.hypot(
            one.latitude - found.middle[0], (one.longitude - found.middle[1]) * shrink
        )
        assert away * METRES_PER_DEGREE <= module.WIDEST * reach + 2


def test_two_places_are_two_clusters() -> None:
    random = np.random.default_rng(7)
    here = [(float(x), float(y)) for x, y in random.normal(0, 30, (10, 2))]
    there = [(x + 900, y) for x, y in here]
    found = cluster_of(spread(here + there), LATITUDE, LONGITUDE, 120)
    assert found is not None
    assert found.people == 10
    assert cluster_of([], LATITUDE, LONGITUDE, 120) is None
    assert cluster_of(spread([(0, 0)]), LATITUDE, LONGITUDE, 120) is None


def test_a_kind_heard_from_afar_has_a_longer_reach(categories: Categories) -> None:
    assert reach_metres(categories["air.odor"]) > reach_metres(categories[KIND])
