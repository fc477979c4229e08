"""Complaints left unfinished: one reminder in the daytime, and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.reporting.draft import new_draft
from dispatch.reporting.drafts import expire, is_expired, remind
from store.database import unit_of_work
from store.drafts import drop_draft, keep_draft
from store.models import OpenDraft
from store.people import inbox
from tests.store.city import CityStore

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 12:00 in the city
HOUR = timedelta(hours=1)


def ask(gap: str, at: datetime, draft_id: str = "d", citizen_id: str = "web:1") -> None:
    with unit_of_work() as session:
        keep_draft(session, draft_id, citizen_id, gap, at)


def reminded(at: datetime) -> int:
    with unit_of_work() as session:
        return remind(session, at)


def messages(citizen_id: str = "web:1") -> list[dict[str, object]]:
    with unit_of_work() as session:
        return [reply for _, replies in inbox(session, citizen_id, 0) for reply in replies]


@pytest.mark.parametrize(
    ("gap", "missing"), [("words", "什么问题"), ("place", "还差地点"), ("confirmed", "确认提交")]
)
def test_he_is_reminded_once_of_what_is_missing(
    city_store: CityStore, gap: str, missing: str
) -> None:
    ask(gap, NOON - 4 * HOUR)
    assert [reminded(NOON), reminded(NOON + HOUR)] == [1, 0]
    (message,) = messages()
    assert missing in str(message["text"])
    assert [button["payload"] for button in message["buttons"]] == [  # type: ignore[attr-defined]
        "/continue_complaint",
        "/cancel",
    ]
    ask("place", NOON + 2 * HOUR)  # he went on and left again
    assert reminded(NOON + 7 * HOUR) == 0


def test_nobody_is_reminded_early_or_of_what_is_done(city_store: CityStore) -> None:
    ask("place", NOON - 3 * HOUR, "early")
    ask("place", NOON - 5 * HOUR, "filed")
    ask("place", NOON - timedelta(days=8), "forgotten")
    with unit_of_work() as session:
        drop_draft(session, "filed")
        drop_draft(session, "unknown")
    assert reminded(NOON) == 0


@pytest.mark.parametrize(("hour", "awake"), [(7, False), (8, True), (20, True), (21, False)])
def test_nobody_is_woken(city_store: CityStore, hour: int, awake: bool) -> None:
    ask("place", NOON - timedelta(days=1))
    moment = datetime(2026, 11, 21, hour, 30, tzinfo=UTC) - 8 * HOUR
    assert reminded(moment) == awake


def test_each_question_is_one_row(city_store: CityStore) -> None:
    ask("words", NOON - HOUR)
    ask("place", NOON)
    (row,) = city_store.rows(OpenDraft)
    assert (row.gap, row.updated_at, row.citizen_id) == ("place", NOON, "web:1")


def test_drafts_end_after_a_week(city_store: CityStore) -> None:
    ask("place", NOON - timedelta(days=7), "old")
    ask("place", NOON - timedelta(days=6), "new")
    with unit_of_work() as session:
        assert expire(session, NOON) == 1
        assert expire(session, NOON) == 0
    assert [row.id for row in city_store.rows(OpenDraft)] == ["new"]


def test_a_draft_in_a_conversation_ends_at_the_same_time(city_store: CityStore) -> None:
    draft = new_draft()
    assert not is_expired(draft, NOON)
    draft = draft.model_copy(update={"changed_at": NOON - timedelta(days=7)})
    assert is_expired(draft, NOON)
    assert not is_expired(draft, NOON - HOUR)


def test_the_city_sets_the_times(city_store: CityStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from base.settings import get_settings

    monkeypatch.setenv("SHIMIN_DRAFT_REMINDER_HOURS", "1")
    monkeypatch.setenv("SHIMIN_DRAFT_KEEP_DAYS", "2")
    get_settings.cache_clear()
    ask("place", NOON - HOUR)
    assert reminded(NOON) == 1
    with unit_of_work() as session:
        assert expire(session, NOON + timedelta(days=2)) == 1
    get_settings.cache_clear()
