"""The calendar file of an appointment, under the real gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from icalendar import Calendar, Event

from base.calendar import CITY_TIME
from base.links import sign_link
from base.settings import Settings
from enquiries.appointments import slots_on, stay_for
from enquiries.calendar_file import calendar_link, calendar_url
from enquiries.hall_files import hall_now
from matcher.service import Hall
from store.appointments import Appointment, book, cancel, change
from store.database import unit_of_work
from store.models import utc_now
from tests.channels.conftest import Gateway

ITEM = ("id_card_replace", "身份证补领")
_people = iter(range(1000))


@dataclass
class Booked:
    """An appointment of somebody new at the city's hall, half past nine in some days."""

    settings: Settings
    hall: Hall
    who: str
    row: Appointment

    @property
    def link(self) -> str:
        return calendar_link(self.settings, self.row)


def days_on(hall: Hall, after: int) -> datetime:
    day = utc_now().astimezone(CITY_TIME).date() + timedelta(days=after)
    while not slots_on(hall, day):
        day += timedelta(days=1)
    return slots_on(hall, day)[1].start


@pytest.fixture
def booked(gateway: Gateway) -> Booked:
    hall = hall_now(gateway.settings.policies_dir, "yuncheng_city")
    assert hall is not None
    who = f"web:visitor-{next(_people)}"
    start = days_on(hall, 3)
    slot = next(s for s in slots_on(hall, start.date()) if s.start == start)
    with unit_of_work() as session:
        stay = stay_for(hall, "identity", slot, utc_now())
        row = book(session, who, ITEM, stay, utc_now())
    return Booked(gateway.settings, hall, who, row)


def event_of(response: httpx.Response) -> tuple[Calendar, Event]:
    calendar = Calendar.from_ical(response.content)
    events = calendar.walk("VEVENT")
    assert len(events) == 1
    return calendar, events[0]


def test_the_file_says_when_where_and_rings_twice(gateway: Gateway, booked: Booked) -> None:
    with gateway.client() as http:
        response = http.get(booked.link)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert booked.row.number in response.headers["Content-Disposition"]
    assert calendar_url(booked.settings, booked.row).startswith(booked.settings.public_url)
    calendar, event = event_of(response)
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")
    assert event["UID"].startswith(booked.row.token)
    assert (event["SEQUENCE"], event["STATUS"]) == (0, "CONFIRMED")
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert event.decoded("DTSTART") == booked.row.starts_at
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=30)
    assert booked.hall.address in event["LOCATION"]
    assert (event["GEO"].latitude, event["GEO"].longitude) == (booked.hall.lat, booked.hall.lon)
    assert "身份证补领" in event["SUMMARY"]
    assert booked.row.number in event["DESCRIPTION"]
    assert "要带：" in event["DESCRIPTION"]
    rings = [alarm.decoded("TRIGGER") for alarm in event.walk("VALARM")]
    assert rings == [timedelta(days=-1), timedelta(hours=-2)]
    zone = calendar.walk("VTIMEZONE")[0]
    assert zone["TZID"] == "Asia/Shanghai"
    offset = zone.to_tz().utcoffset(booked.row.starts_at.replace(tzinfo=None))
    assert offset == timedelta(hours=8)
    assert all(len(line) <= 75 for line in response.content.split(b"\r\n"))  # RFC 5545, 3.1
    assert booked.who.encode() not in response.content


def test_a_change_keeps_the_uid_and_a_cancellation_says_so(
    gateway: Gateway, booked: Booked
) -> None:
    link = booked.link
    with gateway.client() as http:
        before = event_of(http.get(link))[1]
        later = days_on(booked.hall, 6)
        slot = next(s for s in slots_on(booked.hall, later.date()) if s.start == later)
        with unit_of_work() as session:
            stay = stay_for(booked.hall, "identity", slot, utc_now())
            change(session, booked.who, booked.row.id, stay, utc_now())
        moved = event_of(http.get(link))[1]
        assert (moved["UID"], moved["SEQUENCE"]) == (before["UID"], 1)
        assert moved.decoded("DTSTART") == later
        with unit_of_work() as session:
            cancel(session, booked.who, booked.row.id, utc_now())
        calendar, gone = event_of(http.get(link))
    assert calendar["METHOD"] == "CANCEL"
    assert (gone["UID"], gone["SEQUENCE"], gone["STATUS"]) == (before["UID"], 2, "CANCELLED")
    assert "ORGANIZER" in gone
    assert not gone.walk("VALARM")


def test_a_calendar_that_has_the_file_is_told_so(gateway: Gateway, booked: Booked) -> None:
    with gateway.client() as http:
        first = http.get(booked.link)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = http.get(booked.link, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        with unit_of_work() as session:
            cancel(session, booked.who, booked.row.id, utc_now())
        fresh = http.get(booked.link, headers={"If-None-Match": first.headers["ETag"]})
        assert fresh.status_code == 200
        assert fresh.headers["ETag"] != first.headers["ETag"]


def test_nothing_tells_a_wrong_link_from_an_appointment_that_is_not_there(
    gateway: Gateway, booked: Booked
) -> None:
    secret = gateway.settings.session_key.get_secret_value()
    path, _, query = booked.link.partition("?")
    past = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    wrong = [
        path,
        booked.link[:-1] + ("0" if booked.link[-1] != "0" else "1"),
        sign_link(secret, path, past),
        sign_link(secret, "/appointments/nobody.ics", 9_999_999_999),
        f"/appointments/nobody.ics?{query}",
        f"{path}?expires=abc&signature=x",
        f"{path}?expires=１２&signature=x",
        f"{path}?expires={'9' * 400}&signature=x",
        f"/appointments/{'a' * 3000}.ics?{query}",
    ]
    with gateway.client() as http:
        refused = [http.get(address) for address in wrong]
    assert {answer.status_code for answer in refused} == {404}
    assert len({answer.content for answer in refused}) == 1
    assert {answer.headers["Cache-Control"] for answer in refused} == {"no-store"}
