"""What the store says to PostgreSQL, checked without a server (see also ``any_store``)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from store.models import Base
from store.tickets import by_external_id, claim_due, of_citizen
from tests.store.city import CityStore


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_compiles_for_postgresql(table: object) -> None:
    dialect = postgresql.dialect()
    ddl = str(CreateTable(table).compile(dialect=dialect))  # type: ignore[arg-type]
    for index in table.indexes:  # type: ignore[attr-defined]
        assert "INDEX" in str(CreateIndex(index).compile(dialect=dialect))
    assert "BLOB" not in ddl
    for column in table.columns:  # type: ignore[attr-defined]
        if type(column.type).__name__ == "Encrypted":
            assert f"{column.name} BYTEA" in ddl
        if type(column.type).__name__ == "UtcDateTime":
            assert f"{column.name} TIMESTAMP WITH TIME ZONE" in ddl


def test_relays_on_postgresql_skip_what_another_has_taken(
    city_store: CityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    engine = create_engine("sqlite://")
    dialect = postgresql.dialect()

    class Listening(Session):
        def scalars(self, statement, *args, **kwargs):  # type: ignore[no-untyped-def]
            text = str(statement.compile(dialect=dialect)).rstrip()
            if not text.startswith("SELECT identities."):  # whose it is, asked first
                said.append(text)
            return super().scalars(statement, *args, **kwargs)

    with engine.begin() as connection:
        Base.metadata.create_all(connection)
    with Listening(engine) as session:
        assert claim_due(session, datetime.now(UTC), timedelta(minutes=2)) is None
        assert by_external_id(session, "YZ1") is None
        assert of_citizen(session, "web:1", "SM1", lock=True) is None
        assert of_citizen(session, "web:1", "SM1") is None
    engine.dispose()
    assert said[0].endswith("FOR UPDATE OF outbox SKIP LOCKED")
    assert said[1].endswith("FOR UPDATE")
    assert said[2].endswith("FOR UPDATE")
    assert "FOR UPDATE" not in said[3]
