from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from base.errors import ConfigurationError
from store.database import unit_of_work
from store.media import attach_media, read_media, save_media
from store.models import AuditEntry, Media, Ticket, plain
from store.people import citizen
from store.privacy import reveal
from tests.store.city import CityStore

DATA = b"\xff\xd8\xff\xe0 JFIF " + b"a face, a number plate " * 40
EVIDENCE = {"latitude": 30.2741, "longitude": 120.1551, "taken_at": "2026-11-20T21:03:00"}


def save(citizen_id: str = "web:1", data: bytes = DATA) -> str:
    with unit_of_work() as session:
        return save_media(session, citizen_id, data, "image/jpeg", EVIDENCE).id


def files(store: CityStore) -> list[Path]:
    return [path for path in store.settings.media_dir.rglob("*") if path.is_file()]


def add_ticket() -> None:
    with unit_of_work() as session:
        citizen(session, "web:1")
        session.add(
            Ticket(
                id="SM20261121000001",
                citizen_id="web:1",
                draft_id="d1",
                status="submitted",
                category="air.dust",
                severity="normal",
                department="市生态环境局",
                description=plain("扬尘"),
            )
        )


def test_bytes_and_evidence_are_encrypted_at_rest(city_store: CityStore) -> None:
    media_id = save()
    (file,) = files(city_store)
    stored = file.read_bytes()
    assert file.stem == media_id
    assert b"number plate" not in stored
    assert b"JFIF" not in stored
    assert b"120.1551" not in city_store.bytes_on_disk()
    (row,) = city_store.rows(Media)
    assert (row.size, row.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())


def test_reading_gives_the_bytes_back_and_is_audited(any_store: CityStore) -> None:
    media_id = save()
    with unit_of_work() as session:
        media, data = read_media(session, media_id, actor="desk", purpose="photo_link")
        assert reveal(session, media, "evidence", actor="desk", purpose="p") == EVIDENCE
    assert (data, media.content_type) == (DATA, "image/jpeg")
    entry = any_store.rows(AuditEntry)[0]
    assert (entry.actor, entry.record, entry.field) == ("desk", f"media:{media_id}", "content")


@pytest.mark.parametrize("media_id", ["0" * 32, "", "../../etc/passwd", "..", "a\x00b"])
def test_what_is_not_there_is_a_lookup_error(city_store: CityStore, media_id: str) -> None:
    save()
    with pytest.raises(LookupError), unit_of_work() as session:
        read_media(session, media_id, actor="desk", purpose="photo_link")


def test_a_row_without_its_file_is_a_lookup_error(city_store: CityStore) -> None:
    media_id = save()
    files(city_store)[0].unlink()
    with pytest.raises(LookupError), unit_of_work() as session:
        read_media(session, media_id, actor="desk", purpose="photo_link")


def test_another_key_opens_nothing(city_store: CityStore) -> None:
    media_id = save()
    city_store.configure(DATA_KEY=Fernet.generate_key().decode())
    with pytest.raises(ConfigurationError, match=media_id), unit_of_work() as session:
        read_media(session, media_id, actor="desk", purpose="photo_link")


def test_damaged_bytes_are_noticed(city_store: CityStore) -> None:
    media_id = save()
    (file,) = files(city_store)
    stored = bytearray(file.read_bytes())
    stored[len(stored) // 2] ^= 1
    file.write_bytes(stored)
    with pytest.raises(ConfigurationError), unit_of_work() as session:
        read_media(session, media_id, actor="desk", purpose="photo_link")


def test_a_rolled_back_photo_leaves_no_row(city_store: CityStore) -> None:
    with pytest.raises(RuntimeError), unit_of_work() as session:
        save_media(session, "web:1", DATA, "image/jpeg", None)
        raise RuntimeError
    assert city_store.rows(Media) == []


def test_only_ones_own_photos_are_attached(any_store: CityStore) -> None:
    add_ticket()
    mine, foreign = save("web:1"), save("web:2")
    with unit_of_work() as session:
        bound = attach_media(session, "web:1", (mine, foreign, "0" * 32), "SM20261121000001")
    assert bound == (mine,)
    assert {row.id: row.ticket_id for row in any_store.rows(Media)} == {
        mine: "SM20261121000001",
        foreign: None,
    }
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, "SM20261121000001")
        assert [photo.id for photo in ticket.photos] == [mine]
