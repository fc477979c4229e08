"""A desk database of the first version is opened, brought up to date and sealed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from base.errors import ConfigurationError
from base.settings import Settings, get_settings
from dispatch.desk.app import create_app
from dispatch.desk.database import Database
from dispatch.open311 import Open311Client

# The first version's tables, as SQLAlchemy wrote them.
OLD_TABLES = """
CREATE TABLE desk_request (
    pk INTEGER NOT NULL, request_id VARCHAR(64) NOT NULL, token VARCHAR(64) NOT NULL,
    idempotency_key VARCHAR(200), service_code VARCHAR(64) NOT NULL,
    service_name VARCHAR(100) NOT NULL, status VARCHAR(32) NOT NULL, status_notes TEXT,
    agency VARCHAR(100) NOT NULL, urgent BOOLEAN NOT NULL, description TEXT NOT NULL,
    address VARCHAR(500), address_id VARCHAR(100), latitude FLOAT, longitude FLOAT,
    media_urls JSON NOT NULL, attributes JSON NOT NULL, contact JSON NOT NULL,
    requested_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, respond_by DATETIME NOT NULL,
    resolve_by DATETIME NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (pk), UNIQUE (request_id), UNIQUE (token), UNIQUE (idempotency_key)
);
CREATE TABLE desk_event (
    pk INTEGER NOT NULL, update_id VARCHAR(32) NOT NULL, request_pk INTEGER NOT NULL,
    client_update_id VARCHAR(200), actor VARCHAR(16) NOT NULL, operator VARCHAR(40),
    title VARCHAR(60) NOT NULL, changed BOOLEAN NOT NULL, status VARCHAR(32) NOT NULL,
    description TEXT NOT NULL, agency VARCHAR(100) NOT NULL, media_urls JSON NOT NULL,
    at DATETIME NOT NULL,
    PRIMARY KEY (pk), UNIQUE (request_pk, client_update_id), UNIQUE (update_id),
    FOREIGN KEY(request_pk) REFERENCES desk_request (pk)
);
"""
WORDS = "楼下餐馆油烟很大，我家在三楼"
SUPPLEMENT = "市民补充：昨晚又冒烟了"
CONTACT = {"first_name": "张伟", "phone": "13800001234"}


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "desk.db"
    moment = "2026-11-20 01:00:00.000000"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_TABLES)
        connection.execute(
            "INSERT INTO desk_request VALUES (1,'YZ20261120000001','tok',NULL,'air.cooking_fume',"
            "'餐饮油烟','OPEN',NULL,'市综合行政执法局',0,?,'人民路',NULL,30.27,120.15,'[]',?,?,?,?,?,?,1)",
            (
                WORDS,
                json.dumps({"shimin_id": ["SM20261120000001"]}),
                json.dumps(CONTACT),
                *[moment] * 4,
            ),
        )
        connection.execute(
            "INSERT INTO desk_event VALUES (1,'U1',1,'s-1','citizen',NULL,'市民补充',0,'OPEN',?,"
            "'市综合行政执法局','[]',?)",
            (SUPPLEMENT, moment),
        )
        connection.commit()
    return path


def test_an_older_database_goes_on_working(
    older: Path,
    settings: Settings,
    serve: Callable[[Settings], AbstractContextManager[str]],
) -> None:
    with serve(settings) as url, Open311Client(url, "desk-key-1") as client:
        request = client.request("YZ20261120000001")
        assert request.description == WORDS
        found = client.request_id_for("tok")
        assert found == "YZ20261120000001"
    stored = b"".join(path.read_bytes() for path in older.parent.glob("desk.db*"))
    for words in (WORDS, SUPPLEMENT, "张伟", "13800001234", "SM20261120000001"):
        if words.startswith("SM"):
            assert words.encode() in stored  # the sender's number is looked for, so it stays plain
            continue
        assert words.encode() not in stored
        assert json.dumps(words)[1:-1].encode() not in stored


def test_the_upgrade_is_done_once_and_keeps_everything(older: Path, settings: Settings) -> None:
    from dispatch.classification.categories import load_categories
    from dispatch.desk.office import Filter, Office

    seen: list[Any] = []
    for _ in range(2):
        database = Database(settings.desk_database_url)
        office = Office(database, load_categories(settings.categories_file), lambda: None)
        row = office.request("YZ20261120000001")
        assert row is not None
        seen.append((row.version, row.description, row.events[0].description, row.hot_spot))
        assert office.contact_of(row, "李敏") == CONTACT
        (found,) = office.page(Filter(request_id="SM2026112")).rows
        assert found.request_id == row.request_id
        database.close()
    assert seen[0] == seen[1]
    assert seen[0][1:] == (WORDS, SUPPLEMENT, False)


def test_a_desk_needs_the_key_it_wrote_with(
    older: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(settings.desk_database_url).close()
    monkeypatch.setenv("SHIMIN_DATA_KEY", Fernet.generate_key().decode())
    get_settings.cache_clear()
    database = Database(settings.desk_database_url)
    from dispatch.classification.categories import load_categories
    from dispatch.desk.office import Office

    office = Office(database, load_categories(settings.categories_file), lambda: None)
    with pytest.raises(ConfigurationError, match="another SHIMIN_DATA_KEY"):
        office.request("YZ20261120000001")
    database.close()
    monkeypatch.setenv("SHIMIN_DATA_KEY", "")
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="SHIMIN_DATA_KEY is not set"):
        create_app(settings)
