from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.case.filing import file_complaint
from dispatch.case.statistics import AT_HOME, CROWD, Figures, city_figures, is_shown
from dispatch.classification.categories import Categories
from dispatch.reporting.intake import Draft, Spot
from store.database import reading, unit_of_work
from store.models import Ticket, utc_now
from store.statistics import CellTally
from store.tickets import add_event
from tests.store.city import CityStore

PUBLIC, AT_MY_HOME = "waste.garbage", "noise.social"
File = Callable[..., str]


def spot(latitude: float = 30.2741, longitude: float = 120.1551, district: str = "云东区") -> Spot:
    return Spot(
        address="春风里12号", district=district, latitude=latitude, longitude=longitude,
        source="shared",
    )  # fmt: skip


@pytest.fixture
def figures(city_store: CityStore, categories: Categories) -> Callable[..., Figures]:
    def count(days: int = 30) -> Figures:
        with reading() as session:
            return city_figures(session, categories, utc_now(), days)

    return count


def age(ticket_id: str, **span: float) -> None:
    with unit_of_work() as session:
        session.get_one(Ticket, ticket_id).created_at = utc_now() - timedelta(**span)


def resolve(ticket_id: str, *, after_hours: float) -> None:
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        event = add_event(session, ticket, "resolved", actor="dispatch", note="好了")
        event.at = ticket.created_at + timedelta(hours=after_hours)


def test_nothing_reported(figures: Callable[..., Figures]) -> None:
    found = figures()
    assert (found.reported, found.handled) == (0, 0)
    assert found.districts == found.departments == found.dots == ()


def test_what_is_counted_and_what_is_not(filed: File, figures: Callable[..., Figures]) -> None:
    kept = [filed(category=PUBLIC, place=spot()) for _ in range(2)]
    filed(category=PUBLIC, place=spot(district="江南区"))
    old, warning, withdrawn = (filed(category=PUBLIC, place=spot()) for _ in range(3))
    age(old, days=40)
    resolve(kept[0], after_hours=1)
    with unit_of_work() as session:
        session.get_one(Ticket, warning).kind = "hot_spot"
        session.get_one(Ticket, withdrawn).status = "withdrawn"
    found = figures()
    assert (found.reported, found.handled) == (3, 1)
    assert [(t.name, t.reported, t.handled) for t in found.districts] == [
        ("云东区", 2, 1),
        ("江南区", 1, 0),
    ]
    assert [(t.name, t.reported) for t in found.categories] == [("生活垃圾", 3)]
    assert sum(dot.reports for dot in found.dots) == 3
    assert figures(90).reported == 4


def test_a_dot_is_a_cell_never_the_point(filed: File, figures: Callable[..., Figures]) -> None:
    for latitude, longitude in [(30.27412, 120.15512), (30.27388, 120.15478), (30.2766, 120.1551)]:
        filed(category=PUBLIC, place=spot(latitude, longitude))
    first, second = figures().dots
    assert (first.latitude, first.longitude, first.reports) == (30.274, 120.155, 2)
    assert (second.latitude, second.longitude, second.reports) == (30.277, 120.155, 1)


def test_what_happens_at_home_needs_three_people(
    filed: File, figures: Callable[..., Figures]
) -> None:
    for _ in range(5):  # the same neighbour, again and again
        filed("web:1", category=AT_MY_HOME, place=spot())
    filed("web:2", category=AT_MY_HOME, place=spot())
    assert figures().dots == ()
    assert figures().reported == 6
    filed("web:3", category=AT_MY_HOME, place=spot())
    (dot,) = figures().dots
    assert dot.reports == 7
    filed("web:9", category="light.pollution", place=spot())  # another kind does not join them
    assert figures().dots == (dot,)


def test_every_category_has_a_rule(categories: Categories) -> None:
    assert all(any(code.startswith(name) for code in categories.codes) for name in AT_HOME)
    alone = [code for code in categories.codes if is_shown(CellTally(0, 0, code, 9, 1))]
    assert "waste.garbage" in alone
    assert not {code for code in alone if code.split(".")[0] in ("noise", "light", "radiation")}


@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from(["noise.social", "city.other"]))
def test_a_home_never_stands_alone(reports: int, people: int, code: str) -> None:
    assert is_shown(CellTally(1, 2, code, reports, people)) is (people >= CROWD)


def test_how_departments_work(
    filed: File, figures: Callable[..., Figures], categories: Categories
) -> None:
    limit = categories[PUBLIC].resolve_hours
    hours = [5.0, 10.0, limit + 10.0, 20.0]
    for took in hours:
        ticket = filed(category=PUBLIC, place=spot())
        age(ticket, days=20)
        resolve(ticket, after_hours=took)
    late = filed(category=PUBLIC, place=spot())
    age(late, hours=limit + 1)
    filed(category=PUBLIC, place=spot())  # open and in time: says nothing yet
    (work,) = figures().departments
    assert (work.handled, work.overdue) == (4, 1)
    assert work.median_hours == median(hours)
    assert work.in_time == round(3 / 5, 3)  # three of four handled, and the fifth should be


def test_few_cases_judge_nobody(filed: File, figures: Callable[..., Figures]) -> None:
    for _ in range(CROWD - 1):
        resolve(filed(category=PUBLIC, place=spot()), after_hours=2)
    (work,) = figures().departments
    assert (work.handled, work.median_hours, work.in_time) == (CROWD - 1, None, None)


def test_a_case_sent_back_counts_by_its_last_handling(
    filed: File, figures: Callable[..., Figures], categories: Categories
) -> None:
    for _ in range(CROWD):
        ticket = filed(category=PUBLIC, place=spot())
        age(ticket, days=20)
        resolve(ticket, after_hours=2)
        with unit_of_work() as session:
            found = session.get_one(Ticket, ticket)
            event = add_event(session, found, "reopened", actor="citizen:web:1", note="没好")
            event.at = found.created_at + timedelta(hours=100)
        resolve(ticket, after_hours=104)
    (work,) = figures().departments
    assert (work.median_hours, work.in_time) == (104.0, 1.0)  # its limit began anew


def test_the_database_counts_as_a_plain_count_does(
    city_store: CityStore,
    categories: Categories,
    make_draft: Callable[..., Draft],
    figures: Callable[..., Figures],
) -> None:
    chance = random.Random(7)
    expected: Counter[str] = Counter()
    with unit_of_work() as session:
        for number in range(120):
            district = chance.choice(["云东区", "云西区", "江南区"])
            place = spot(30.2 + chance.random() / 50, 120.1 + chance.random() / 50, district)
            code = chance.choice(categories.codes)
            draft = make_draft(category=code, place=place)
            file_complaint(session, draft, f"web:{number % 30}", categories)
            expected[district] += 1
            expected[categories[code].name] += 1
    found = figures()
    told = {t.name: t.reported for t in (*found.districts, *found.categories)}
    assert told == dict(expected)
    assert found.reported == 120
