"""Backing up, restoring and comparing every table and file."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from pyrage import x25519

from base.errors import ConfigurationError
from base.settings import ROOT
from store.backup import rows
from store.backup.whole import Extent, back_up, restore
from store.database import revisions, unit_of_work, upgrade
from store.media import read_media, save_media
from store.models import Citizen, OutgoingMessage, plain
from tests.isolated import isolated
from tests.store import postgres
from tests.store.city import CityStore
from tests.store.filling import contents, fill

PHOTO = b"\xff\xd8 a photo"
_numbers = count(1)


@pytest.fixture
def key(any_store: CityStore) -> str:
    identity = x25519.Identity.generate()
    any_store.configure(BACKUP_RECIPIENT=str(identity.to_public()))
    return str(identity)


@pytest.fixture
def full(any_store: CityStore) -> CityStore:
    """A store with a row in every table, a person and two photos."""
    with unit_of_work() as session:
        session.add(Citizen(id="web:9", phone=plain("13800138000")))
        session.flush()
        session.add(
            OutgoingMessage(citizen_id="web:9", channel="web", body=plain([{"text": "您好"}]))
        )
        save_media(session, "web:9", PHOTO, "image/jpeg", {"taken_at": "2026"})
        photo = save_media(session, "web:9", PHOTO + b"2", "image/jpeg", None)
    with unit_of_work() as session:  # an entry of the audit as the chain has it
        read_media(session, photo.id, actor="test", purpose="test")
    fill(any_store.url)
    return any_store


def media_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*/*")}


def other_database(request: pytest.FixtureRequest, store: CityStore, folder: Path) -> str:
    """A database of the other kind, where PostgreSQL can be had."""
    if store.url.startswith("sqlite") and postgres.installed():
        server = request.getfixturevalue("postgres_server")
        return postgres.new_database(server, f"restored_{next(_numbers)}")
    return f"sqlite:///{folder / 'shimin.db'}"


def test_every_row_and_file_comes_back_on_the_other_database_too(
    full: CityStore, key: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    archive, before = tmp_path / "city.backup", contents(full.url)
    photos = media_of(full.settings.media_dir)
    extent = back_up(archive, full.settings)
    assert extent.rows == sum(len(found) for found in before.values())
    assert (extent.media, len(photos)) == (2, 2)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    sealed = archive.read_bytes()
    assert b"web:9" not in sealed
    assert full.settings.data_key.get_secret_value().encode() not in sealed

    place = tmp_path / "elsewhere"
    url = other_database(request, full, place)
    data_key = full.settings.data_key.get_secret_value()
    with isolated(place, database_url=url, data_key=data_key) as settings:
        assert restore(archive, key, settings, force=False, city=place / "city") == extent
        assert {name: same(table) for name, table in contents(url).items()} == {
            name: same(table) for name, table in before.items()
        }
        assert media_of(settings.media_dir) == photos
        with unit_of_work() as session:  # ids go on where they were
            message = OutgoingMessage(citizen_id="web:9", channel="web", body=plain([]))
            session.add(message)
            session.flush()
            assert message.id == max(row["id"] for row in before["outgoing_messages"]) + 1
            opened = {
                read_media(session, name.split(".")[0], actor="test", purpose="test")[1]
                for name in photos
            }
            assert opened == {PHOTO, PHOTO + b"2"}
    for name in ("categories.yml", "city/districts.yml"):
        assert (place / "city" / name).read_bytes() == (ROOT / "dispatch" / name).read_bytes()


def same(table: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows without what databases tell differently: SQLite names no zone, and it is UTC."""
    return [
        {
            name: value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
            if isinstance(value, datetime)
            else value
            for name, value in row.items()
        }
        for row in table
    ]


def test_what_is_there_is_not_overwritten_without_a_word(
    full: CityStore, key: str, tmp_path: Path
) -> None:
    archive, before = tmp_path / "city.backup", contents(full.url)
    photos = media_of(full.settings.media_dir)
    back_up(archive, full.settings)
    with unit_of_work() as session:
        session.add(Citizen(id="web:10"))
        save_media(session, "web:10", PHOTO + b"3", "image/jpeg", None)
    with pytest.raises(ConfigurationError, match="--force"):
        restore(archive, key, full.settings, force=False, city=None)
    assert len(contents(full.url)["citizens"]) == len(before["citizens"]) + 1
    restore(archive, key, full.settings, force=True, city=None)
    assert contents(full.url) == before
    assert media_of(full.settings.media_dir) == photos


def test_a_wrong_key_and_a_damaged_archive_change_nothing(
    full: CityStore, key: str, tmp_path: Path
) -> None:
    archive, before = tmp_path / "city.backup", contents(full.url)
    back_up(archive, full.settings)
    sealed = archive.read_bytes()
    for data, identity in (
        (sealed, str(x25519.Identity.generate())),
        (sealed, "no key"),
        (sealed[:-20], key),
        (sealed[:5000] + bytes([sealed[5000] ^ 1]) + sealed[5001:], key),
        (b"", key),
    ):
        archive.write_bytes(data)
        with pytest.raises(ConfigurationError):
            restore(archive, identity, full.settings, force=True, city=None)
        assert contents(full.url) == before


def test_a_backup_of_an_older_version_is_brought_up(tmp_path: Path) -> None:
    identity, old = x25519.Identity.generate(), revisions()[2]
    archive = tmp_path / "city.backup"
    with isolated(tmp_path / "new", backup_recipient=identity.to_public()) as settings:
        url = f"sqlite:///{tmp_path / 'old.db'}"
        upgrade(url, old)
        fill(url)
        extent = back_up(archive, settings.model_copy(update={"database_url": url}))
        assert isinstance(extent, Extent)
        restore(archive, str(identity), settings, force=False, city=None)
        with rows.snapshot(settings.database_url) as connection:
            assert sum(rows.count(connection).values()) == extent.rows
        upgrade()


def test_a_backup_that_fails_leaves_no_file(city_store: CityStore, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(ConfigurationError, match="RECIPIENT"):
        back_up(folder / "a", city_store.settings)
    identity = x25519.Identity.generate()
    city_store.configure(
        BACKUP_RECIPIENT=str(identity.to_public()), DATABASE_URL=f"sqlite:///{tmp_path / 'no.db'}"
    )
    with pytest.raises(ConfigurationError, match="empty"):
        back_up(folder / "a", city_store.settings)
    assert list(folder.iterdir()) == []
