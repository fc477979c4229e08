"""A person from his consent to what reaches him, with policies of the test's own."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from base.errors import ConfigurationError
from base.settings import get_settings
from channels.message import Reply
from channels.notices.delivery import Deliveries
from channels.notices.job import notice_jobs
from channels.payloads import is_payload
from store.database import reading, unit_of_work
from store.feedback import end_reminders, save_feedback
from store.notice_contacts import save_contact
from store.notice_models import NoticeDelivery, PolicyNotice
from store.notices import note_known, save_reminder
from store.people import save_birth, save_profile, subscribe, unsubscribe
from tests.channels.policy_city import DAY, ME, NOON, City, resident


def triggers() -> list[tuple[str, int, str, str]]:
    with reading() as session:
        rows = session.query(PolicyNotice).order_by(PolicyNotice.id)
        return [(row.policy_id, row.version, row.slot, row.trigger) for row in rows]


def test_a_new_policy_finds_who_qualifies_once(city: City) -> None:
    resident()
    resident(citizen_id="web:young", age=30)
    assert city.look(NOON).told == {}  # what there was at the subscription is no news
    city.policy("new", "age >= 70")
    tally = city.look(NOON + DAY)
    assert tally.told == {("new", "new"): 1}
    assert list(tally.people) == [ME]
    for later in range(3):
        assert city.look(NOON + DAY * (1 + later)).told == {}
    assert city.heard("web:young") == []
    ((lead, told),) = city.heard()
    assert "退订" in lead["text"]
    assert "【新政策】new补贴" in told["text"]
    assert "每月100元" in told["text"]
    assert "85" not in told["text"]
    assert [button["title"] for button in told["buttons"]] == ["查看详情", "已申请", "不感兴趣"]
    assert all(is_payload(button["payload"]) for button in told["buttons"])
    Reply.of(told)


def remind(name: str, stage: str | None = None, now: datetime = NOON) -> None:
    with unit_of_work() as session:
        save_reminder(session, ME, (name, 1), stage, now)


def test_a_reminder_comes_at_its_stages_to_who_asked_for_nothing_else(city: City) -> None:
    city.policy("ends", "age >= 999 OR age >= 70", window={"closes": "2026-12-05"})
    remind("ends")
    told = [city.look(NOON + n * DAY).told for n in range(14)]
    days = {12 - n: dict(found) for n, found in enumerate(told) if found}
    assert days == {d: {("ends", "reminder"): 1} for d in (7, 3, 1)}
    (lead, text), *_ = city.heard()
    assert lead["text"].startswith("您要我提醒的政策快截止了")
    assert "退订" in lead["text"]
    assert "ends补贴" in text["text"]
    Reply.of(text)
    assert len(city.heard()) == 3


def test_a_reminder_asked_for_within_a_stage_does_not_come_at_once(city: City) -> None:
    city.policy("ends", "age >= 70", window={"closes": "2026-11-28"})
    remind("ends", "closes_7")
    told = [city.look(NOON + n * DAY).told for n in range(6)]
    assert [n for n, found in enumerate(told) if found] == [2, 4]  # three days before, and one


def test_a_reminder_ends_with_the_word(city: City) -> None:
    city.policy("ends", "age >= 70", window={"closes": "2026-11-26"})
    remind("ends", "closes_7")
    with unit_of_work() as session:
        assert end_reminders(session, ME)
        assert not end_reminders(session, ME)
    assert all(city.look(NOON + n * DAY).told == {} for n in range(5))


def test_who_applied_is_not_reminded(city: City) -> None:
    city.policy("ends", "age >= 70", window={"closes": "2026-11-26"})
    remind("ends", "closes_7")
    with unit_of_work() as session:
        save_feedback(session, ME, "ends", "applied", NOON)
    assert all(city.look(NOON + n * DAY).told == {} for n in range(5))


def test_a_subscriber_is_reminded_of_what_he_does_not_qualify_for(city: City) -> None:
    resident(age=60)
    city.policy("ends", "age >= 70", window={"closes": "2026-11-26"})
    assert city.look(NOON).told == {}
    remind("ends")
    assert city.look(NOON + DAY).told == {("ends", "reminder"): 1}


def test_a_changed_version_is_told_and_a_correction_is_not(city: City) -> None:
    resident()
    city.look(NOON)
    city.policy("old", summary="改了一个错字。")
    assert city.look(NOON + DAY).told == {}
    city.policy("old", version=2)
    assert city.look(NOON + 2 * DAY).told == {("old", "changed"): 1}


def test_a_birthday_brings_what_it_opens(city: City) -> None:
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 79}, now=NOON - 20 * DAY)
        save_birth(session, ME, date(1946, 11, 25), NOON - 20 * DAY)
        subscribe(session, ME, now=NOON - 20 * DAY)
    assert [city.look(NOON + n * DAY).told for n in range(4)] == [
        {}, {}, {("old", "birthday"): 1}, {},
    ]  # fmt: skip


def test_a_changed_profile_is_told_once_the_conversation_has_settled(city: City) -> None:
    resident(age=60)
    city.look(NOON)
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 81}, now=NOON + DAY)
    assert city.look(NOON + DAY + timedelta(minutes=5)).told == {}
    assert city.look(NOON + DAY + timedelta(minutes=31)).told == {("old", "profile"): 1}


def test_what_was_shown_in_the_chat_is_not_told_again(city: City) -> None:
    resident(age=60)
    city.look(NOON)
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 81}, now=NOON)
        note_known(session, ME, [("old", 1)], NOON)
    assert city.look(NOON + DAY).told == {}


def test_a_window_that_closes_is_told_in_stages(city: City) -> None:
    city.policy("old", window={"closes": "2026-12-01"})
    resident()
    found = [dict(city.look(NOON + n * DAY).told) for n in range(10)]
    assert [n for n, told in enumerate(found) if told] == [1, 5, 7]
    assert [slot for _, _, slot, trigger in triggers() if trigger == "deadline"] == [
        "closes_7", "closes_3", "closes_1",
    ]  # fmt: skip
    assert "还剩7天" in city.heard()[0][1]["text"]


def test_what_comes_at_night_waits_for_the_morning(city: City) -> None:
    resident()
    night = NOON.replace(hour=22)
    city.look(night - timedelta(hours=3))
    city.policy("new")
    tally = city.look(night)
    assert (tally.told, tally.waiting) == ({}, {("new", "new"): 1})
    assert city.look(night + timedelta(hours=9, minutes=59)).told == {}
    assert city.look(night + timedelta(hours=10)).told == {("new", "new"): 1}


def test_several_matches_are_one_message_and_the_cap_holds(city: City) -> None:
    resident()
    city.look(NOON)
    told = []
    for n in range(9):
        city.policy(f"a{n}")
        city.policy(f"b{n}")
        told.append(sum(city.look(NOON + n * DAY + timedelta(hours=1)).told.values()))
    assert told == [2, 2, 0, 0, 0, 0, 0, 10, 4]
    assert [len(replies) for replies in city.heard()] == [3, 3, 11, 5]


def test_what_cannot_be_had_together_is_told_as_a_choice(city: City) -> None:
    resident()
    city.look(NOON)
    city.policy("one")
    city.policy("two", excludes=["one"])
    city.look(NOON + DAY)
    ((_, one, two),) = city.heard()
    assert "不能与《two补贴》同时享受" in one["text"]
    assert "不能与《one补贴》同时享受" in two["text"]


def test_feedback_and_unsubscribing_stop_it(city: City) -> None:
    resident()
    city.look(NOON)
    with unit_of_work() as session:
        save_feedback(session, ME, "old", "declined", NOON)
    city.policy("old", version=2)
    assert city.look(NOON + DAY).told == {}
    with unit_of_work() as session:
        unsubscribe(session, ME)
    city.policy("new")
    assert city.look(NOON + 2 * DAY).looked_at == 0


def test_a_dry_run_says_it_and_writes_nothing(city: City) -> None:
    resident()
    city.look(NOON)
    city.policy("new")
    for _ in range(2):
        assert city.look(NOON + DAY, dry=True).told == {("new", "new"): 1}
    assert city.heard() == []
    assert city.look(NOON + DAY).told == {("new", "new"): 1}


def test_a_half_written_folder_tells_nobody_anything(city: City) -> None:
    resident()
    (city.settings.policies_dir / "resident" / "bad.yml").write_text("id: bad\n")
    with pytest.raises(ConfigurationError):
        city.look(NOON)


def test_an_enterprise_hears_what_it_qualifies_for_already(city: City) -> None:
    city.policy("grant", "headcount < 100", audience="enterprise")
    url = "http://127.0.0.1:1/robot/send?access_token=0123456789"
    with unit_of_work() as session:
        save_profile(session, "enterprise:1", "enterprise", {"headcount": 20}, now=NOON - DAY)
        save_contact(session, "enterprise:1", "dingtalk", url, None, "form", NOON - DAY)
    assert city.look(NOON).told == {("grant", "profile"): 1}
    deliveries = Deliveries(city.settings, city.shelf)
    assert deliveries.send_due(NOON) == 0  # nobody answers there
    with reading() as session:
        (row,) = session.query(NoticeDelivery).all()
    assert (row.state, row.attempts, row.last_error) == ("queued", 1, "ConnectError")
    assert NOON < row.due_at <= NOON + timedelta(minutes=1)
    assert deliveries.send_due(NOON.replace(hour=23)) == 0
    with unit_of_work() as session:
        assert session.query(NoticeDelivery).one().attempts == 1  # not in quiet hours
        session.query(NoticeDelivery).one().created_at = NOON - 4 * DAY
    deliveries.send_due(NOON + timedelta(hours=2))
    with reading() as session:
        assert session.query(NoticeDelivery).one().state == "failed"


def test_without_a_mail_server_mail_waits(city: City) -> None:
    resident()
    with unit_of_work() as session:
        save_contact(session, ME, "email", "a@example.com", None, "form", NOON - DAY)
    city.look(NOON)
    assert Deliveries(city.settings, city.shelf).send_due(NOON) == 0
    with reading() as session:
        row = session.query(NoticeDelivery).filter_by(channel="email").one()
    assert "SHIMIN_SMTP_HOST" in (row.last_error or "")


def test_the_jobs_of_the_relay_run_on_an_empty_store(city: City) -> None:
    jobs = notice_jobs(get_settings())
    assert [job.name for job in jobs] == ["notice_rounds", "notice_deliveries", "notice_expiry"]
    for job in jobs:
        job.work(NOON)


@pytest.mark.parametrize("meanwhile", ["unsubscribed", "declined", "new version", "closed"])
def test_a_message_is_checked_again_before_it_goes(city: City, meanwhile: str) -> None:
    resident()
    url = "http://127.0.0.1:1/robot/send?access_token=0123456789"
    with unit_of_work() as session:
        save_contact(session, ME, "dingtalk", url, None, "form", NOON - DAY)
    assert city.look(NOON).told == {("old", "profile"): 1}
    with unit_of_work() as session:
        if meanwhile == "unsubscribed":
            unsubscribe(session, ME, "dingtalk")
        if meanwhile == "declined":
            save_feedback(session, ME, "old", "declined", NOON)
    if meanwhile == "new version":
        city.policy("old", version=2)
    if meanwhile == "closed":
        city.policy("old", window={"closes": "2026-11-22"})
    assert Deliveries(city.settings, city.shelf).send_due(NOON) == 0
    with reading() as session:
        row = session.query(NoticeDelivery).filter_by(channel="dingtalk").one()
    assert (row.state, row.last_error) == ("ended", None)
