"""Checklists on each database: ticks, changed matters, forgetting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.classification.categories import load_categories
from dispatch.outbox.housekeeping import jobs
from store.checklist_models import Checklist, ChecklistEntry
from store.checklists import (
    Name,
    checklist_of,
    checklists_of,
    drop_checklist,
    forget_untouched,
    read_plan,
    save_plan,
    set_ticks,
    start_checklist,
    sync_entries,
    ticked,
)
from store.database import unit_of_work
from store.models import AuditEntry, Citizen
from store.people import forget_profile
from tests.store.city import CityStore

ME = "web:me"
PLAN = {"answers": {"disability_cert": True}, "situations": {}}
NAMES: tuple[Name, ...] = (
    ("material", "居民身份证"),
    ("material", "居民户口簿"),
    ("step", "birth_registration"),
)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def begin(matter: str = "newborn", citizen: str = ME, now: datetime = NOW) -> None:
    with unit_of_work() as session:
        row = start_checklist(session, citizen, matter, PLAN, now)
        sync_entries(session, row, NAMES)


def tick(*names: Name, done: bool = True, now: datetime = NOW) -> None:
    with unit_of_work() as session:
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        set_ticks(session, row, names, done=done, now=now)


def ticks(matter: str = "newborn") -> dict[Name, datetime]:
    with unit_of_work() as session:
        row = checklist_of(session, ME, matter)
        assert row is not None
        return ticked(row)


def test_a_checklist_keeps_what_was_ticked_and_when(any_store: CityStore) -> None:
    begin()
    tick(NAMES[0], NAMES[2])
    tick(NAMES[0], now=NOW + timedelta(days=1))  # again: the first time stays
    assert ticks() == {NAMES[0]: NOW, NAMES[2]: NOW}
    tick(NAMES[2], ("material", "没有这一样"), done=False)
    assert ticks() == {NAMES[0]: NOW}
    assert len(any_store.rows(ChecklistEntry)) == len(NAMES)


def test_a_changed_matter_keeps_ticks_adds_and_drops(any_store: CityStore) -> None:
    begin()
    tick(NAMES[0], NAMES[1])
    with unit_of_work() as session:
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        names = (("material", "证件照片"), NAMES[0], NAMES[2])
        assert sync_entries(session, row, names) == (NAMES[1],)
        assert sync_entries(session, row, names) == ()
    with unit_of_work() as session:
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        assert [(entry.kind, entry.name) for entry in row.entries] == list(names)
        assert set(ticked(row)) == {NAMES[0]}


def test_beginning_again_keeps_the_ticks_and_takes_the_new_plan(any_store: CityStore) -> None:
    begin()
    tick(NAMES[0])
    with unit_of_work() as session:
        row = start_checklist(session, ME, "newborn", {"answers": {}, "situations": {}})
        assert read_plan(session, row, "citizen:me", "test") == {"answers": {}, "situations": {}}
    assert set(ticks()) == {NAMES[0]}
    assert len(any_store.rows(Checklist)) == 1
    assert [audit.field for audit in any_store.rows(AuditEntry)] == ["plan"]


def test_the_plan_is_not_readable_in_the_file(city_store: CityStore) -> None:
    begin()
    assert b"disability_cert" not in city_store.bytes_on_disk()


def test_the_list_touched_last_comes_first(any_store: CityStore) -> None:
    begin("newborn", now=NOW)
    begin("retirement", now=NOW + timedelta(minutes=1))
    begin("newborn", "web:other", NOW + timedelta(minutes=2))
    with unit_of_work() as session:
        assert [row.matter_id for row in checklists_of(session, ME)] == ["retirement", "newborn"]
    tick(NAMES[0], now=NOW + timedelta(minutes=5))
    with unit_of_work() as session:
        assert [row.matter_id for row in checklists_of(session, ME)] == ["newborn", "retirement"]


def test_a_dropped_list_is_gone_with_its_entries(any_store: CityStore) -> None:
    begin()
    with unit_of_work() as session:
        assert drop_checklist(session, ME, "newborn")
        assert not drop_checklist(session, ME, "newborn")
    assert any_store.rows(ChecklistEntry) == []


def test_forgetting_a_citizen_takes_his_lists_and_nobody_elses(any_store: CityStore) -> None:
    begin()
    begin(citizen="web:other")
    with unit_of_work() as session:
        assert forget_profile(session, ME)
        assert not forget_profile(session, ME)
    assert [row.citizen_id for row in any_store.rows(Checklist)] == ["web:other"]
    assert len(any_store.rows(ChecklistEntry)) == len(NAMES)
    assert len(any_store.rows(Citizen)) == 2


def test_untouched_lists_are_forgotten_by_the_regular_job(any_store: CityStore) -> None:
    begin("newborn", now=NOW - timedelta(days=400))
    begin("retirement", now=NOW - timedelta(days=300))
    categories = load_categories(any_store.settings.categories_file)
    (job,) = (
        job
        for job in jobs(any_store.settings, categories, "监督员")
        if job.name == "checklist_expiry"
    )
    job.work(NOW)
    assert [row.matter_id for row in any_store.rows(Checklist)] == ["retirement"]
    with unit_of_work() as session:
        assert forget_untouched(session, NOW) == 1
    assert any_store.rows(ChecklistEntry) == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(st.tuples(st.sets(st.sampled_from(NAMES)), st.booleans()), max_size=8),
)
def test_any_sequence_of_ticks_leaves_the_last_word_on_each(
    city_store: CityStore, moves: list[tuple[set[Name], bool]]
) -> None:
    with unit_of_work() as session:
        drop_checklist(session, ME, "newborn")
    begin()
    expected: set[Name] = set()
    for names, done in moves:
        tick(*names, done=done)
        expected = expected | names if done else expected - names
    assert set(ticks()) == expected


def test_saving_a_plan_counts_as_a_touch(city_store: CityStore) -> None:
    begin(now=NOW - timedelta(days=400))
    with unit_of_work() as session:
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        save_plan(row, PLAN, NOW)
    with unit_of_work() as session:
        assert forget_untouched(session, NOW - timedelta(days=1)) == 0


@pytest.mark.parametrize("name", ["长" * 60])
def test_the_longest_name_of_a_material_fits(any_store: CityStore, name: str) -> None:
    with unit_of_work() as session:
        row = start_checklist(session, ME, "newborn", PLAN, NOW)
        sync_entries(session, row, [("material", name)])
    assert [entry.name for entry in any_store.rows(ChecklistEntry)] == [name]
