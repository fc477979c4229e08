from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from base.calendar import CITY_TIME
from base.errors import ConfigurationError
from base.settings import Settings
from dispatch.case.filing import file_complaint
from dispatch.case.routing import Router
from dispatch.classification.categories import Categories
from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.intake import Heard, Intake, Location, new_draft
from dispatch.times.calendar import Calendar
from store.database import unit_of_work
from store.models import Ticket, TicketEvent
from tests.dispatch.conftest import HERE
from tests.dispatch.test_filing import MakeDraft
from tests.store.city import CityStore

Load = Callable[..., Router]
SETTINGS = Settings()
CITY = SETTINGS.city_dir
DISTRICTS = {
    row["name"]: [street["name"] for street in row["streets"]]
    for row in yaml.safe_load((CITY / "districts.yml").read_text("utf-8"))["districts"]
}
LEVELS = ("normal", "urgent")


def at(text: str) -> datetime:
    """City time."""
    return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)


NOON, NIGHT = at("2026-11-18 12:00"), at("2026-11-18 23:30")


@pytest.fixture(scope="module")
def router(categories: Categories) -> Router:
    return Router.load(SETTINGS.routing_file, categories, CITY)


@pytest.fixture
def load(tmp_path: Path, categories: Categories) -> Load:
    """Load rules written as YAML."""

    def load(rules: str, head: str = "supervisor: 市热线办") -> Router:
        path = tmp_path / "routing.yml"
        path.write_text(f"{head}\nrules:\n{rules}", "utf-8")
        return Router.load(path, categories, CITY)

    return load


# --- the sample city ----------------------------------------------------------------------


def test_every_kind_of_complaint_everywhere_at_any_time_has_a_unit(
    router: Router, categories: Categories
) -> None:
    places = [(name, street) for name, streets in DISTRICTS.items() for street in streets]
    days = [
        at(f"2026-{day} {hour}")
        for day in ("11-18", "11-21", "10-01")
        for hour in ("12:00", "23:30", "05:59")
    ]
    cases = 0
    for code, (district, street), level, moment in itertools.product(
        categories.codes, places, LEVELS, days
    ):
        found = router.assign(code, district, street, level, moment)
        respond, resolve = categories[code].limits(level)
        assert found.rule, f"{code} in {district}{street} is nobody's"
        assert found.unit
        assert "{" not in found.unit
        area = district[:-1]
        others = [name[:-1] for name in DISTRICTS if name != district]
        assert area in found.unit or found.unit.startswith(("市", "望湖景区")), found
        assert not any(other in found.unit for other in others), found
        assert 0 < found.respond_hours <= respond
        assert found.respond_hours <= found.resolve_hours <= resolve
        cases += 1
    assert cases == len(categories) * len(places) * 2 * 9


@pytest.mark.parametrize("level", LEVELS)
def test_an_unknown_place_is_the_citys_own(
    router: Router, categories: Categories, level: str
) -> None:
    for category in categories:
        for district in (None, "无名区"):
            found = router.assign(category.code, district, "无名街道", level, NOON)
            assert found.unit.startswith("市")
            if found.rule is None:
                assert found.unit == category.department
                assert (found.respond_hours, found.resolve_hours) == category.limits(level)


@pytest.mark.parametrize(
    ("code", "district", "street", "level", "moment", "unit"),
    [
        ("noise.construction", "云东区", None, "normal", NIGHT, "云东区综合行政执法局夜间巡查队"),
        ("noise.construction", "云东区", None, "normal", NOON, "云东区综合行政执法局"),
        (
            "noise.construction",
            "高新区",
            None,
            "normal",
            NIGHT,
            "高新区管理委员会城市管理和应急局夜间巡查队",
        ),
        ("noise.social", "临山县", None, "normal", NIGHT, "临山县公安局"),
        ("noise.social", "清河区", None, "normal", NOON, "市公安局清河分局"),
        ("air.industrial", "云东区", None, "normal", NOON, "市生态环境局云东分局"),
        ("air.industrial", "云东区", None, "urgent", NOON, "市环境应急与事故调查中心"),
        ("water.black_odor", "江南区", None, "normal", NOON, "江南区河长制办公室"),
        ("waste.garbage", "云东区", "站前街道", "normal", NOON, "市火车站地区综合管理办公室"),
        ("waste.garbage", "云西区", "望湖街道", "normal", NOON, "云西区城市管理局"),
        (
            "waste.garbage",
            "云西区",
            "望湖街道",
            "normal",
            at("2026-10-05 12:00"),
            "望湖景区管理办公室",
        ),
        (
            "waste.garbage",
            "云西区",
            "望湖街道",
            "normal",
            at("2026-10-10 12:00"),
            "云西区城市管理局",
        ),
    ],
)
def test_who_is_sent(
    router: Router, code: str, district: str, street: str, level: str, moment: datetime, unit: str
) -> None:
    assert router.assign(code, district, street, level, moment).unit == unit


@pytest.mark.parametrize(
    ("clock", "night"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("05:59", True), ("06:00", False)],
)
def test_night_is_from_ten_to_six(router: Router, clock: str, night: bool) -> None:
    found = router.assign("noise.construction", "云东区", None, "normal", at(f"2026-11-18 {clock}"))
    assert found.unit.endswith("夜间巡查队") is night
    assert (found.respond_hours == 2) is night


# --- rules --------------------------------------------------------------------------------


def test_the_first_rule_that_matches_wins(load: Load) -> None:
    router = load(
        "- {name: a, category: noise., district: 云东区, unit: 甲}\n"
        "- {name: b, category: noise., unit: 乙, respond_hours: 3}\n"
    )
    assert router.supervisor == "市热线办"
    assert router.assign("noise.traffic", "云东区", None, "normal", NOON).unit == "甲"
    found = router.assign("noise.traffic", "云西区", None, "normal", NOON)
    assert (found.unit, found.rule, found.respond_hours) == ("乙", "b", 3)
    assert router.assign("air.dust", "云西区", None, "normal", NOON).rule is None


def test_an_urgent_matter_never_gets_more_time(load: Load, categories: Categories) -> None:
    router = load("- {name: a, unit: 甲, respond_hours: 20, resolve_hours: 40}\n")
    found = router.assign("radiation", None, None, "urgent", NOON)
    assert (found.respond_hours, found.resolve_hours) == (1, 40)


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    minute=st.integers(0, 1439),
)
def test_hours_are_a_span_of_the_day(
    tmp_path_factory: pytest.TempPathFactory,
    categories: Categories,
    start: int,
    end: int,
    minute: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "hours.yml"
    clocks = [f"{at // 60:02}:{at % 60:02}" for at in (start, end)]
    rule = {"name": "a", "unit": "甲", "hours": "-".join(clocks)}
    path.write_text(yaml.safe_dump({"supervisor": "乙", "rules": [rule]}), "utf-8")
    if start == end:
        with pytest.raises(ConfigurationError, match="hours"):
            Router.load(path, categories, CITY)
        return
    router = Router.load(path, categories, CITY)
    moment = at("2026-11-18 00:00") + timedelta(minutes=minute)
    inside = start <= minute < end if start < end else minute >= start or minute < end
    assert (router.assign("air.dust", None, None, "normal", moment).rule == "a") is inside


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("- {name: a, category: noise.loud, unit: 甲}", "a: category: noise.loud is unknown"),
        ("- {name: a, category: noise, unit: 甲}", "a: category: noise is unknown"),
        ("- {name: a, category: fire., unit: 甲}", "a: category: fire. is unknown"),
        ("- {name: a, category: [], unit: 甲}", "a: category"),
        ("- {name: a, district: 东区, unit: 甲}", "a: district: 东区 is unknown"),
        ("- {name: a, street: 大街, unit: 甲}", "a: street: 大街 is unknown"),
        (
            "- {name: a, district: 云西区, street: 文昌街道, unit: 甲}",
            "a: street: 文昌街道 is unknown",
        ),
        ("- {name: a, severity: mild, unit: 甲}", "a: severity"),
        ("- {name: a, days: monday, unit: 甲}", "a: days"),
        ('- {name: a, hours: "24:00-06:00", unit: 甲}', "a: hours"),
        ('- {name: a, hours: "06:00-06:00", unit: 甲}', "a: hours: 06:00-06:00 is empty"),
        ("- {name: a}", "a: unit"),
        ('- {name: a, unit: "{town}局"}', "a: unit: {town} is unknown"),
        (f"- {{name: a, unit: {'长' * 81}}}", "a: unit"),
        ("- {name: a, unit: 甲, respond_hours: 0}", "a: respond_hours"),
        ("- {name: a, unit: 甲, respond_hours: 400}", "a: respond_hours"),
        ("- {name: a, category: air.dust, unit: 甲, resolve_hours: 20}", "a: respond_hours"),
        ("- {name: a, unit: 甲, colour: red}", "a: colour"),
        ("- {name: a, unit: 甲}\n- {name: a, unit: 乙}", "a: name: occurs twice"),
        ("- {unit: 甲}", "rules.0: name"),
        (
            "- {name: a, category: noise., unit: 甲}\n"
            "- {name: b, category: noise.social, district: 云东区, unit: 乙}",
            "b: never reached, a matches all of it before",
        ),
    ],
)
def test_a_wrong_rule_names_itself(load: Load, rules: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(rules)
    assert said in caught.value.detail
    assert "routing.yml" in caught.value.detail


def test_a_file_without_supervisor_is_refused(load: Load) -> None:
    with pytest.raises(ConfigurationError, match="supervisor"):
        load("- {name: a, unit: 甲}", head="")


# --- the calendar -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-11-18", "workday"),
        ("2026-11-21", "weekend"),
        ("2026-10-01", "holiday"),
        ("2026-10-03", "holiday"),
        ("2026-10-10", "workday"),
        ("2026-01-04", "workday"),
        ("2026-02-15", "holiday"),
        ("2031-10-01", "workday"),
    ],
)
def test_what_kind_of_day_it_is(day: str, kind: str) -> None:
    assert Calendar.load(CITY / "calendar.yml").kind(date.fromisoformat(day)) == kind


def test_the_holidays_of_2026_are_as_published() -> None:
    """33 days off with the weekends among them, and six worked days (国务院办公厅, 2025-11-04)."""
    calendar = Calendar.load(CITY / "calendar.yml")
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(calendar.kind(day) == "holiday" for day in year) == 3 + 9 + 3 + 5 + 3 + 3 + 7
    assert sum(calendar.kind(day) == "workday" for day in year if day.weekday() >= 5) == 6
    assert calendar.years == {2026}


@pytest.mark.parametrize(
    "span",
    [
        {"name": "x", "first": "2026-10-07", "last": "2026-10-01"},
        {"name": "x", "first": "2026-10-01", "last": "2026-10-07", "worked": ["2026-10-03"]},
        {"name": "x", "first": "morgen", "last": "2026-10-07"},
    ],
)
def test_a_wrong_calendar_is_refused(tmp_path: Path, span: dict[str, object]) -> None:
    path = tmp_path / "calendar.yml"
    path.write_text(yaml.safe_dump({"holidays": [span]}, allow_unicode=True), "utf-8")
    with pytest.raises(ConfigurationError, match=r"calendar\.yml"):
        Calendar.load(path)


# --- filing -------------------------------------------------------------------------------


def test_a_filed_ticket_bears_its_unit_and_its_limits(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories, router: Router
) -> None:
    place = HERE.model_copy(update={"street": "文昌街道"})
    draft = make_draft(place=place, category="water.black_odor")
    with unit_of_work() as session:
        file_complaint(session, draft, "web:1", categories, router)
    (ticket,) = city_store.rows(Ticket)
    assert (ticket.department, ticket.district, ticket.street) == (
        "云东区河长制办公室",
        "云东区",
        "文昌街道",
    )
    assert (ticket.respond_hours, ticket.resolve_hours) == categories["water.black_odor"].limits(
        "normal"
    )
    assert city_store.rows(TicketEvent)[0].unit == "云东区河长制办公室"


def test_the_street_comes_from_the_gazetteer(intake: Intake) -> None:
    shared = Heard("m1", "inform", "", locations=(Location(latitude=30.2741, longitude=120.1551),))
    named = Heard("m1", "report_pollution", "文昌路88号楼下餐馆油烟太大了", places=("文昌路88号",))
    atlas = Gazetteer.load(CITY).atlas
    for heard in (shared, named):
        place = intake.absorb(new_draft(), heard).place
        assert place is not None
        assert place.latitude is not None
        assert place.longitude is not None
        _, street = atlas.area_of(atlas.point(place.latitude, place.longitude))
        assert place.street == street.name == "文昌街道"
