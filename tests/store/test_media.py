from __future__ import annotations

import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError, StateError, UpstreamError
from store.blobs import blob_store
from store.database import reading, unit_of_work
from store.media import (
    SAME_PICTURE,
    SAME_SHOT,
    attach_media,
    hash_distance,
    keep_copy,
    purge_unattached,
    read_media,
    save_media,
    sent_before,
    similar_photos,
    store_fetched,
    sweep_strays,
)
from store.models import AuditEntry, Media, OpenDraft, Ticket, plain, utc_now
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


TICKET = "SM20261121000001"
OTHER_TICKET = "SM20261121000002"


def add_ticket(ticket_id: str = TICKET) -> None:
    with unit_of_work() as session:
        citizen(session, "web:1")
        session.add(
            Ticket(
                id=ticket_id,
                citizen_id="web:1",
                draft_id=f"d-{ticket_id}",
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


# --- copies -----------------------------------------------------------------------------


def test_a_copy_is_kept_encrypted_beside_its_photo(city_store: CityStore) -> None:
    media_id = save()
    with pytest.raises(LookupError), unit_of_work() as session:
        read_media(session, media_id, actor="page", purpose="p", copy="thumb")
    keep_copy(media_id, "thumb", b"a small number plate")
    with unit_of_work() as session:
        _, data = read_media(session, media_id, actor="page", purpose="p", copy="thumb")
    assert data == b"a small number plate"
    assert {file.name for file in files(city_store)} == {f"{media_id}.bin", f"{media_id}.thumb"}
    assert all(b"number plate" not in file.read_bytes() for file in files(city_store))
    assert [entry.field for entry in city_store.rows(AuditEntry)] == ["thumb"]


def test_a_photo_that_is_still_to_be_fetched(any_store: CityStore) -> None:
    add_ticket()
    media_id = "ab" * 16
    with unit_of_work() as session:
        session.add(
            Media(
                id=media_id,
                citizen_id="web:1",
                ticket_id=TICKET,
                role="after",
                source_url="http://127.0.0.1:8311/media/1.jpg",
                content_type="image/jpeg",
                size=0,
                sha256="",
            )
        )
    with pytest.raises(StateError, match="media_awaited"), unit_of_work() as session:
        read_media(session, media_id, actor="desk", purpose="p")
    for _ in range(2):
        with unit_of_work() as session:
            media = session.get_one(Media, media_id)
            store_fetched(session, media, DATA, "image/webp", "00000000000000ff")
    with unit_of_work() as session:
        media, data = read_media(session, media_id, actor="desk", purpose="p")
    assert (data, media.size, media.content_type) == (DATA, len(DATA), "image/webp")
    assert (media.sha256, media.perceptual_hash) == (
        hashlib.sha256(DATA).hexdigest(),
        "00000000000000ff",
    )


# --- the same photo again ---------------------------------------------------------------

hashes = st.integers(0, 2**64 - 1).map("{:016x}".format)


@given(hashes, hashes, hashes)
def test_the_distance_of_hashes_is_a_metric(a: str, b: str, c: str) -> None:
    assert hash_distance(a, a) == 0
    assert hash_distance(a, b) == hash_distance(b, a) > (-1 if a == b else 0)
    assert hash_distance(a, c) <= hash_distance(a, b) + hash_distance(b, c) <= 128


@given(hashes, st.sets(st.integers(0, 63)))
def test_the_distance_counts_bits(a: str, turned: set[int]) -> None:
    b = int(a, 16)
    for bit in turned:
        b ^= 1 << bit
    assert hash_distance(a, f"{b:016x}") == len(turned)


def bits(count: int) -> str:
    return f"{(1 << count) - 1:016x}"


def photo(
    hashed: str | None, citizen_id: str = "web:1", data: bytes = DATA, **columns: object
) -> str:
    with unit_of_work() as session:
        media = save_media(session, citizen_id, data, "image/jpeg", None, hashed)
        for name, value in columns.items():
            setattr(media, name, value)
        return media.id


def test_tickets_with_the_same_picture_are_found(any_store: CityStore) -> None:
    for ticket in (TICKET, OTHER_TICKET):
        add_ticket(ticket)
    mine = photo(bits(0))
    photo(bits(SAME_PICTURE), ticket_id=TICKET)
    photo(bits(3), "web:2", ticket_id=TICKET)
    photo(bits(SAME_PICTURE + 1), ticket_id=OTHER_TICKET)
    photo(bits(0), ticket_id=OTHER_TICKET, role="after")
    photo(None, ticket_id=OTHER_TICKET)
    with reading() as session:
        both = (TICKET, OTHER_TICKET)
        assert similar_photos(session, [mine], both) == {TICKET: 3}
        assert similar_photos(session, [mine], both, within=9) == {TICKET: 3, OTHER_TICKET: 9}
        assert similar_photos(session, [mine], [OTHER_TICKET]) == {}
        assert similar_photos(session, [], both) == similar_photos(session, [mine], []) == {}


def known(data: bytes, hashed: str | None, citizen_id: str = "web:1") -> str | None:
    with reading() as session:
        media = sent_before(session, citizen_id, data, hashed)
        return None if media is None else media.id


def test_a_photo_sent_again_is_recognised(any_store: CityStore) -> None:
    first = photo(bits(0))
    assert known(DATA, None) == known(DATA, bits(60)) == first
    assert known(b"edited", bits(SAME_SHOT)) == first
    assert known(b"edited", bits(SAME_SHOT + 1)) is None
    assert known(b"edited", None) is None
    assert known(DATA, bits(0), "web:2") is None


def test_what_is_on_a_ticket_or_old_is_kept_again(any_store: CityStore) -> None:
    add_ticket()
    photo(bits(0), ticket_id=TICKET)
    photo(bits(0), created_at=utc_now() - timedelta(hours=25))
    photo(bits(0), role="after")
    assert known(DATA, bits(0)) is None


# --- forgetting -------------------------------------------------------------------------

OLD = {"created_at": utc_now() - timedelta(days=9)}
WEEK = timedelta(days=8)


def names(store: CityStore) -> set[str]:
    return {file.name for file in files(store)}


def test_what_no_ticket_took_is_forgotten(any_store: CityStore) -> None:
    add_ticket()
    gone = photo(None, "web:2", **OLD)
    keep_copy(gone, "public", b"copy")
    keep_copy(gone, "thumb", b"copy")
    kept = [
        photo(None, "web:2"),
        photo(None, "web:1", ticket_id=TICKET, **OLD),
        photo(None, "web:3", **OLD),
    ]
    with unit_of_work() as session:
        session.add(OpenDraft(id="d1", citizen_id="web:3", gap="place"))
    with unit_of_work() as session:
        assert purge_unattached(session, WEEK) == 1
    assert {row.id for row in any_store.rows(Media)} == set(kept)
    assert names(any_store) == {f"{media_id}.bin" for media_id in kept}
    with unit_of_work() as session:
        assert purge_unattached(session, WEEK) == 0


def test_the_bytes_go_only_when_the_rows_are_gone(any_store: CityStore) -> None:
    """A purge that is rolled back, wholly or to a savepoint, forgets nothing."""
    media_id = photo(None, **OLD)
    with pytest.raises(RuntimeError), unit_of_work() as session:
        assert purge_unattached(session, WEEK) == 1
        raise RuntimeError
    with unit_of_work() as session:
        inner = session.begin_nested()
        assert purge_unattached(session, WEEK) == 1
        inner.rollback()
    assert [row.id for row in any_store.rows(Media)] == [media_id]
    assert names(any_store) == {f"{media_id}.bin"}
    with unit_of_work() as session:
        with session.begin_nested():
            assert purge_unattached(session, WEEK) == 1
        assert names(any_store) == {f"{media_id}.bin"}
    assert (any_store.rows(Media), names(any_store)) == ([], set())


def test_a_store_that_is_away_during_the_purge_is_swept_later(
    city_store: CityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = photo(None, **OLD)

    def away(*_: object) -> None:
        raise UpstreamError("media_unavailable", "稍后再试", "test")

    with monkeypatch.context() as context:
        context.setattr(type(blob_store()), "delete", away)
        with unit_of_work() as session:
            assert purge_unattached(session, WEEK) == 1
    assert city_store.rows(Media) == []
    assert names(city_store) == {f"{media_id}.bin"}
    age(city_store, days=2)
    with reading() as session:
        assert sweep_strays(session) == 1
    assert names(city_store) == set()


def age(store: CityStore, days: int) -> None:
    for file in files(store):
        os.utime(file, (time.time() - days * 86400,) * 2)


def test_strays_are_swept_after_a_day(city_store: CityStore) -> None:
    kept = photo(None)
    keep_copy(kept, "public", b"copy")
    blob_store().put("cd" * 16 + ".bin", b"its row never came")
    blob_store().put(f"{kept}.bin.0123.part", b"half-written")
    with reading() as session:
        assert sweep_strays(session) == 0
    age(city_store, days=2)
    with reading() as session:
        assert sweep_strays(session) == 2
    assert names(city_store) == {f"{kept}.bin", f"{kept}.public"}


def test_nothing_half_written_when_the_store_is_away(
    city_store: CityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.blobs.os.fsync", full)
    with pytest.raises(UpstreamError, match="media_unavailable"):
        save()
    assert (city_store.rows(Media), files(city_store)) == ([], [])
