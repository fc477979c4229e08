from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from store.database import insert_missing, make_engine, reading, unit_of_work, upgrade
from store.every_table import load_tables
from store.models import (
    AuditEntry,
    Base,
    Citizen,
    OutboxEntry,
    Ticket,
    TicketSequence,
    plain,
)
from store.people import citizen
from store.privacy import reveal
from store.tickets import add_event, city_day, claim_due, new_ticket_id, queue_outbox
from tests.stack import ROOT
from tests.store.city import CityStore

DAY = date(2026, 11, 21)

load_tables()


def add_ticket(ticket_id: str, citizen_id: str = "web:1") -> None:
    with unit_of_work() as session:
        citizen(session, citizen_id)
        session.add(
            Ticket(
                id=ticket_id,
                citizen_id=citizen_id,
                draft_id=f"d-{ticket_id}",
                status="submitted",
                category="air.dust",
                severity="normal",
                department="市生态环境局",
                description=plain("扬尘"),
            )
        )


# --- migrations ---------------------------------------------------------------------------


def test_the_migrations_make_exactly_what_the_models_say(any_store: CityStore) -> None:
    engine = make_engine(any_store.url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
            tables = set(inspect(connection).get_table_names())
    finally:
        engine.dispose()
    assert tables == {*Base.metadata.tables, "alembic_version"}


def test_a_model_without_a_migration_would_be_noticed(city_store: CityStore) -> None:
    engine = make_engine(city_store.url)
    try:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE tickets DROP COLUMN rating"))
        with engine.connect() as connection:
            changes = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    finally:
        engine.dispose()
    assert [change[0] for change in changes] == ["add_column"]


def test_upgrading_again_changes_nothing_and_keeps_the_rows(any_store: CityStore) -> None:
    add_ticket("SM20261121000001")
    upgrade()
    upgrade(any_store.url)
    assert [ticket.id for ticket in any_store.rows(Ticket)] == ["SM20261121000001"]


def test_two_processes_may_upgrade_an_empty_database_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'shimin.db'}"
    code = f"from store.database import upgrade; upgrade({url!r})"
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    engine = make_engine(url)
    try:
        assert "tickets" in inspect(engine).get_table_names()
    finally:
        engine.dispose()


# --- SQLite -------------------------------------------------------------------------------


def test_sqlite_is_durable_and_keeps_its_references(city_store: CityStore) -> None:
    with unit_of_work() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.add(OutboxEntry(ticket_id="SM20261121999999", kind="request", idempotency_key="k"))


def test_a_unit_of_work_takes_the_write_lock_with_its_first_look(city_store: CityStore) -> None:
    with unit_of_work() as session:
        assert session.get(Citizen, "web:1") is None
        other = sqlite3.connect(city_store.file, timeout=0, isolation_level=None)
        try:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            assert other.execute("SELECT count(*) FROM tickets").fetchone() == (0,)
        finally:
            other.close()


def test_reading_neither_waits_for_a_writer_nor_holds_one_up(city_store: CityStore) -> None:
    add_ticket("SM20261121000001")
    with unit_of_work() as writing:
        writing.get_one(Ticket, "SM20261121000001").status = "forwarded"
        writing.flush()
        with reading() as session:
            assert session.get_one(Ticket, "SM20261121000001").status == "submitted"
    with reading() as session:
        assert session.get_one(Ticket, "SM20261121000001").status == "forwarded"
        with unit_of_work() as writing:
            writing.get_one(Ticket, "SM20261121000001").status = "accepted"
    assert [ticket.status for ticket in city_store.rows(Ticket)] == ["accepted"]


def test_reading_does_not_write(any_store: CityStore) -> None:
    add_ticket("SM20261121000001")
    with pytest.raises(RuntimeError, match="does not write"), reading() as session:
        citizen(session, "web:2")
        reveal(
            session,
            session.get_one(Ticket, "SM20261121000001"),
            "description",
            actor="test",
            purpose="test",
        )
    assert len(any_store.rows(Citizen)) == 1
    assert any_store.rows(AuditEntry) == []


def test_an_error_of_the_database_does_not_show_what_was_written(any_store: CityStore) -> None:
    with pytest.raises(IntegrityError) as caught, unit_of_work() as session:
        session.add(OutboxEntry(ticket_id="SM-none", kind="request", idempotency_key="my-secret"))
    assert "my-secret" not in str(caught.value)


def test_a_database_that_cannot_be_opened_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "shimin.db").write_bytes(b"this is not a database at all, but long enough" * 30)
    with pytest.raises(Exception, match="not a database") as caught:
        upgrade(f"sqlite:///{tmp_path / 'shimin.db'}")
    assert not isinstance(caught.value, OperationalError)


# --- units of work ------------------------------------------------------------------------


def test_an_exception_rolls_everything_back(any_store: CityStore) -> None:
    with pytest.raises(RuntimeError), unit_of_work() as session:
        citizen(session, "web:1")
        new_ticket_id(session, DAY)
        session.flush()
        raise RuntimeError
    assert any_store.rows(Citizen) == []
    assert any_store.rows(TicketSequence) == []


def test_objects_stay_readable_after_the_commit(any_store: CityStore) -> None:
    add_ticket("SM20261121000001")
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, "SM20261121000001")
        add_event(session, ticket, "withdrawn", actor="citizen:web:1")
    assert (ticket.status, ticket.department) == ("withdrawn", "市生态环境局")


def test_inserting_what_is_there_already_changes_nothing(any_store: CityStore) -> None:
    with unit_of_work() as session:
        insert_missing(session, TicketSequence(day=DAY, last=7), DAY)
        insert_missing(session, TicketSequence(day=DAY, last=0), DAY)
    assert [(row.day, row.last) for row in any_store.rows(TicketSequence)] == [(DAY, 7)]


# --- ticket numbers -----------------------------------------------------------------------


def test_ticket_ids_are_unique_and_without_gaps_under_threads(any_store: CityStore) -> None:
    start = threading.Barrier(20)

    def take(_worker: int) -> list[str]:
        start.wait()
        ids = []
        for _ in range(10):
            with unit_of_work() as session:
                ids.append(new_ticket_id(session, DAY))
        return ids

    with ThreadPoolExecutor(20) as pool:
        ids = [ticket_id for taken in pool.map(take, range(20)) for ticket_id in taken]
    assert sorted(ids) == [f"SM20261121{number:06d}" for number in range(1, 201)]


def test_each_day_counts_from_one_and_a_failed_filing_gives_its_number_back(
    city_store: CityStore,
) -> None:
    with unit_of_work() as session:
        assert new_ticket_id(session, DAY) == "SM20261121000001"
        assert new_ticket_id(session, DAY + timedelta(days=1)) == "SM20261122000001"
    with pytest.raises(RuntimeError), unit_of_work() as session:
        new_ticket_id(session, DAY)
        raise RuntimeError
    with unit_of_work() as session:
        assert new_ticket_id(session, DAY) == "SM20261121000002"


def test_the_day_of_a_ticket_is_the_citys(city_store: CityStore) -> None:
    assert city_day(datetime(2026, 11, 20, 15, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert city_day(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == DAY


def test_a_citizen_first_seen_by_two_channels_at_once_is_one_row(any_store: CityStore) -> None:
    start = threading.Barrier(8)

    def see(_worker: int) -> str:
        start.wait()
        with unit_of_work() as session:
            return citizen(session, "web:1").id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(see, range(8))) == {"web:1"}
    assert len(any_store.rows(Citizen)) == 1


# --- moments ------------------------------------------------------------------------------


def test_moments_come_back_in_utc_and_naive_ones_are_refused(any_store: CityStore) -> None:
    beijing = datetime(2026, 11, 21, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    with unit_of_work() as session:
        session.add(Citizen(id="web:1", created_at=beijing))
    with unit_of_work() as session:
        found = session.get_one(Citizen, "web:1").created_at
    assert found == beijing
    assert found.utcoffset() == timedelta(0)
    with pytest.raises(StatementError, match="naive datetime"), unit_of_work() as session:
        session.add(Citizen(id="web:2", created_at=datetime(2026, 11, 21)))


# --- the outbox ---------------------------------------------------------------------------


def test_the_outbox_is_claimed_in_order_and_by_one_relay_at_a_time(any_store: CityStore) -> None:
    for number in (1, 2):
        add_ticket(f"SM2026112100000{number}")
    with unit_of_work() as session:
        for number in (1, 2):
            ticket = session.get_one(Ticket, f"SM2026112100000{number}")
            queue_outbox(session, ticket, "request", f"r{number}")
            session.flush()
            queue_outbox(session, ticket, "update", f"u{number}", {"status": "OPEN"})
            session.flush()
    now = datetime.now(UTC) + timedelta(seconds=1)
    lease = timedelta(minutes=2)

    def claim(moment: datetime) -> str | None:
        with unit_of_work() as session:
            entry = claim_due(session, moment, lease)
            return entry.idempotency_key if entry else None

    assert [claim(now), claim(now), claim(now)] == ["r1", "r2", None]
    with unit_of_work() as session:  # r2 was delivered, the relay with r1 died
        entry = session.scalars(
            select(OutboxEntry).where(OutboxEntry.idempotency_key == "r2")
        ).one()
        entry.state = "sent"
    assert [claim(now), claim(now)] == ["u2", None]
    assert claim(now + lease) == "r1"


def test_an_idempotency_key_is_used_once(any_store: CityStore) -> None:
    add_ticket("SM20261121000001")
    with pytest.raises(IntegrityError), unit_of_work() as session:
        ticket = session.get_one(Ticket, "SM20261121000001")
        queue_outbox(session, ticket, "request", "same")
        queue_outbox(session, ticket, "request", "same")
    assert any_store.rows(OutboxEntry) == []
