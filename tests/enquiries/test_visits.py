"""Reminders, the question after a visit and forgetting, as the relay does them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from base.calendar import CITY_TIME
from base.settings import Settings
from channels.notices.visits import visit_jobs
from enquiries.appointments import free_slots, horizon, slots_on, stay_for
from enquiries.hall_files import hall_now
from store.appointments import Appointment, Kept, book, cancel, change, of_citizen
from store.database import unit_of_work
from store.people import inbox
from tests.isolated import isolated

MONDAY = datetime(2026, 11, 23, 8, tzinfo=CITY_TIME)
ME = "web:me"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with isolated(tmp_path) as found:
        yield found


def kept(settings: Settings, day: date, now: datetime = MONDAY, who: str = ME) -> Appointment:
    """An appointment at nine on ``day``."""
    hall = hall_now(settings.policies_dir, "yuncheng_city")
    assert hall is not None
    with unit_of_work() as session:
        stay = stay_for(hall, "identity", slots_on(hall, day)[0], now)
        return book(session, who, ("id_card_replace", "身份证补领"), stay, now)


def news(who: str = ME) -> list[str]:
    with unit_of_work() as session:
        return [reply["text"] for _, replies in inbox(session, who, 0) for reply in replies]


def work(settings: Settings, *moments: datetime) -> None:
    for moment in moments:
        for job in visit_jobs(settings):
            job.work(moment)


def test_one_reminder_at_six_the_day_before_and_one_question_after(settings: Settings) -> None:
    row = kept(settings, date(2026, 11, 26))
    start, end = MONDAY, MONDAY + timedelta(days=6)
    told: list[tuple[datetime, str]] = []
    moment = start
    while moment < end:
        work(settings, moment)
        told += [(moment, text) for text in news()[len(told) :]]
        moment += timedelta(minutes=20)
    assert [at for at, _ in told] == [
        datetime(2026, 11, 25, 18, tzinfo=CITY_TIME),
        datetime(2026, 11, 26, 11, 40, tzinfo=CITY_TIME),
    ]
    assert "明天（周四，11月26日）上午9点到云州市政务服务中心" in told[0][1]
    assert row.number in told[0][1]
    assert "要带：" in told[0][1]
    assert told[1][1].startswith("今天（周四，11月26日）上午9点您约了")


def test_two_relays_at_once_remind_once(settings: Settings) -> None:
    for person in range(12):
        kept(settings, date(2026, 11, 24 + person % 3), who=f"web:{person}")
    evening, start = MONDAY.replace(day=25, hour=18), threading.Barrier(4)

    def relay(_: int) -> None:
        start.wait()
        work(settings, evening - timedelta(days=2), evening - timedelta(days=1), evening)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(relay, range(4)))
    assert all(len(news(f"web:{person}")) >= 1 for person in range(12))
    reminders = [text for person in range(12) for text in news(f"web:{person}")]
    assert sum(text.startswith("提醒您") for text in reminders) == 12


def test_nothing_is_sent_in_quiet_hours_and_a_late_reminder_comes_in_the_morning(
    settings: Settings,
) -> None:
    kept(settings, date(2026, 11, 24))
    night = [MONDAY.replace(hour=hour) for hour in (21, 22, 23)]
    work(settings, *night, MONDAY.replace(day=24, hour=6))
    assert news() == []
    work(settings, MONDAY.replace(day=24, hour=8))
    assert news()[0].startswith("提醒您：今天（周二，11月24日）上午9点")


def test_no_reminder_of_what_was_booked_the_same_evening_changed_or_cancelled(
    settings: Settings,
) -> None:
    evening = MONDAY.replace(hour=19)
    late = kept(settings, date(2026, 11, 24), evening)
    assert late.remind_at is None
    gone = kept(settings, date(2026, 11, 25), who="web:gone")
    moved = kept(settings, date(2026, 11, 25), who="web:moved")
    hall = hall_now(settings.policies_dir, "yuncheng_city")
    assert hall is not None
    with unit_of_work() as session:
        cancel(session, "web:gone", gone.id, evening)
        friday = stay_for(hall, "identity", slots_on(hall, date(2026, 11, 27))[0], evening)
        change(session, "web:moved", moved.id, friday, evening)
    work(settings, evening, MONDAY.replace(day=24, hour=18, minute=1))
    assert not [
        text for who in (ME, "web:gone", "web:moved") for text in news(who) if "提醒" in text
    ]
    work(settings, MONDAY.replace(day=26, hour=18, minute=1))
    assert [text[:3] for text in news("web:moved")] == ["提醒您"]


def test_a_relay_that_was_away_for_a_week_asks_nothing_any_more(settings: Settings) -> None:
    row = kept(settings, date(2026, 11, 24))
    work(settings, MONDAY + timedelta(days=9))
    assert news() == []
    with unit_of_work() as session:
        found = of_citizen(session, ME, row.id)
        assert found is not None
        assert found.state == "past"
    work(settings, MONDAY + timedelta(days=settings.appointment_keep_days + 2))
    with unit_of_work() as session:
        assert of_citizen(session, ME, row.id) is None


def test_a_hall_or_item_whose_file_is_gone_is_still_reminded_of(
    settings: Settings, tmp_path: Path
) -> None:
    kept(settings, date(2026, 11, 24))
    with unit_of_work() as session:
        row = session.query(Appointment).one()
        row.hall_id, row.service_id = "closed_hall", "../halls"
    work(settings, MONDAY.replace(hour=18))
    assert news()[0].startswith("提醒您：明天（周二，11月24日）上午9点办身份证补领")


def test_the_horizon_sees_every_window_that_is_taken(settings: Settings) -> None:
    hall = hall_now(settings.policies_dir, "yuncheng_city")
    assert hall is not None
    since, until = horizon(MONDAY)
    full = [Kept(since, until, seat) for seat in range(hall.windows_for("identity"))]
    assert free_slots(hall, "identity", full, MONDAY) == {}
