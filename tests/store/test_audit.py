"""The audit as a chain: whatever is done to it behind our back shows."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from base.errors import ConfigurationError, InputError
from store import audit
from store.audit_search import last_check, note_check
from store.database import reading, unit_of_work
from store.models import AuditEntry, AuditHead, utc_now
from store.privacy import Access, note_access
from tests.store.city import CityStore

SECRET = "an audit key"


def read_some(count: int, actor: str = "official:李敏") -> None:
    for number in range(count):
        with unit_of_work() as session:
            note_access(session, actor, "核查", f"tickets:SM{number}", "contact")


def checked(known: audit.Anchor | None = None) -> audit.Finding:
    with reading() as session:
        return audit.verify(session, known)


def anchored() -> audit.Anchor:
    with reading() as session:
        return audit.anchor(session, SECRET, utc_now())


def test_an_untouched_chain_holds(any_store: CityStore) -> None:
    assert checked() == audit.Finding(0)
    read_some(5)
    with unit_of_work() as session:  # several reads in one unit of work
        for field in ("name", "phone", "profile"):
            note_access(session, "citizen:web:1", "profile", "citizens:web:1", field)
    assert checked() == audit.Finding(8)
    assert [entry.id for entry in any_store.rows(AuditEntry)] == list(range(1, 9))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor", "nobody"),
        ("purpose", ""),
        ("record", "tickets:SM9"),
        ("field", "x"),
        ("at", datetime(2026, 1, 1, tzinfo=UTC)),
        ("hash", "f" * 64),
    ],
)
def test_a_changed_entry_is_named(city_store: CityStore, field: str, value: object) -> None:
    read_some(6)
    with unit_of_work() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 4).values({field: value}))
    found = checked()
    assert (found.broken, found.why) == (4, "the entry was changed or put in")
    assert found.entries == 3


@pytest.mark.parametrize("most", [1, 3, 5, 6, 100])
def test_a_short_look_names_what_was_done_to_the_newest(city_store: CityStore, most: int) -> None:
    def looked() -> audit.Finding:
        with reading() as session:
            return audit.verify_newest(session, most)

    read_some(6)
    assert looked() == audit.Finding(min(most, 6))
    with unit_of_work() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 3).values(actor="nobody"))
    assert looked().broken == (3 if most > 3 else None)
    with unit_of_work() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == 6))
    assert looked().broken == (3 if most > 3 else 6)


def test_what_a_check_found_is_remembered(city_store: CityStore) -> None:
    with reading() as session:
        assert last_check(session, whole=False) is None
    for found, whole in ((audit.Finding(7), True), (audit.Finding(2, 3, "why"), False)):
        with unit_of_work() as session:
            note_check(session, "operator", found, whole=whole)
    with reading() as session:
        last, full = last_check(session, whole=False), last_check(session, whole=True)
    assert last is not None and (last.entries, last.broken, last.whole) == (2, 3, False)
    assert full is not None and (full.entries, full.broken, full.whole) == (7, None, True)


@pytest.mark.parametrize(
    ("removed", "broken", "why"),
    [
        ((1,), 1, "entry 1 is missing"),
        ((3, 4), 3, "entries 3 to 4 are missing"),
        ((6,), 6, "entries 6 to 6 are missing"),
        (tuple(range(1, 7)), 1, "entries 1 to 6 are missing"),
    ],
)
def test_a_removed_entry_is_named(
    city_store: CityStore, removed: tuple[int, ...], broken: int, why: str
) -> None:
    read_some(6)
    with unit_of_work() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id.in_(removed)))
    found = checked()
    assert (found.broken, found.why) == (broken, why)


def test_an_entry_put_in_is_named(city_store: CityStore) -> None:
    read_some(3)
    last = city_store.rows(AuditEntry)[-1]
    now, access = utc_now(), Access("a", "p", "r", "f")
    digest = audit.entry_hash(last.hash, 4, now, access)
    row = {"id": 4, "at": now, "hash": digest, **vars(access)}
    with unit_of_work() as session:
        session.execute(insert(AuditEntry), [row])
    assert checked() == audit.Finding(3, 4, "entries were added behind the end of the chain")


def test_a_chain_made_anew_is_not_the_one_of_the_anchor(city_store: CityStore) -> None:
    read_some(5)
    known = anchored()
    read_some(2)
    assert checked(known) == audit.Finding(7)
    forge(without=3)
    assert checked().broken is None  # consistent in itself
    found = checked(known)
    assert (found.broken, found.why) == (5, "the entry is not the one the anchor knows")
    forge(without=5, keep_numbers=True)
    assert checked(known).broken is not None


def forge(without: int, *, keep_numbers: bool = False) -> None:
    """Do what somebody with all rights on the database can do: remove one, chain the rest anew."""
    with unit_of_work() as session:
        kept = [e for e in session.query(AuditEntry).order_by(AuditEntry.id) if e.id != without]
        rows, previous = [], audit.BEGINNING
        for number, entry in enumerate(kept, start=1):
            access = Access(entry.actor, entry.purpose, entry.record, entry.field)
            place = entry.id if keep_numbers else number
            previous = audit.entry_hash(previous, place, entry.at, access)
            rows.append({"id": place, "at": entry.at, "hash": previous, **vars(access)})
        session.execute(delete(AuditEntry))
        session.execute(insert(AuditEntry), rows)
        session.execute(update(AuditHead).values(last_id=rows[-1]["id"], last_hash=previous))


def test_writers_at_the_same_time_keep_one_chain(any_store: CityStore) -> None:
    start = threading.Barrier(6)

    def write(worker: int) -> None:
        start.wait()
        read_some(10, f"worker:{worker}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert checked() == audit.Finding(60)
    by_worker = [entry.actor for entry in any_store.rows(AuditEntry)]
    assert all(by_worker.count(f"worker:{worker}") == 10 for worker in range(6))


def test_a_transaction_that_fails_leaves_no_gap(city_store: CityStore) -> None:
    read_some(2)
    with pytest.raises(RuntimeError), unit_of_work() as session:
        note_access(session, "a", "p", "r", "f")
        raise RuntimeError
    read_some(1)
    assert checked() == audit.Finding(3)


def test_old_entries_go_and_the_chain_holds(any_store: CityStore) -> None:
    read_some(6)
    middle = utc_now()
    read_some(3)
    with unit_of_work() as session:
        assert audit.old_entries(session, middle) == 6
        assert audit.cut(session, middle) == 6
    assert checked() == audit.Finding(4)  # three, and the one that tells of the cut
    told = any_store.rows(AuditEntry)[-1]
    assert (told.actor, told.purpose) == ("retention", audit.CUT)
    with unit_of_work() as session:
        assert audit.cut(session, middle) == 0
    assert checked() == audit.Finding(4)


def test_a_cut_nobody_recorded_shows(city_store: CityStore) -> None:
    read_some(6)
    fourth = city_store.rows(AuditEntry)[3]
    with unit_of_work() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id <= 4))
        session.execute(update(AuditHead).values(cut_id=4, cut_hash=fourth.hash))
    assert checked() == audit.Finding(2, 4, "entries up to here were deleted without a record")


def test_an_anchor_is_only_ours(city_store: CityStore) -> None:
    read_some(2)
    known = anchored()
    text = json.dumps(asdict(known))
    assert audit.read_anchor(text, SECRET) == known
    changed = json.dumps(asdict(replace(known, last_id=1)))
    for wrong, secret in ((text, "another"), (changed, SECRET), ("{}", SECRET), ("[", SECRET)):
        with pytest.raises(InputError, match="anchor_invalid"):
            audit.read_anchor(wrong, secret)
    with pytest.raises(ConfigurationError, match="SHIMIN_AUDIT_KEY"):
        audit.read_anchor(text, "")


TEXTS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=30
)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.timedeltas(timedelta(0), timedelta(days=900)))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_written_is_computed_again_from_the_database(
    city_store: CityStore, actor: str, purpose: str, record: str, field: str, age: timedelta
) -> None:
    with unit_of_work() as session:
        note_access(session, actor, purpose, record, field)
    assert checked().broken is None
