"""Changing the key of personal data: everything is written again, and it shows when it is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import LargeBinary, type_coerce, update

from base.errors import ConfigurationError
from store import rotation
from store.blobs import blob_store
from store.database import unit_of_work
from store.keyring import NO_ID, keyring
from store.media import read_media, save_media
from store.models import Citizen, Media, plain
from store.people import queue_message, save_profile
from store.privacy import reveal
from tests.store.city import CityStore

PEOPLE = 7


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "ROWS", 3)


def fill() -> None:
    with unit_of_work() as session:
        for number in range(PEOPLE):
            save_profile(session, f"web:{number}", "resident", {"age": number})
            session.get_one(Citizen, f"web:{number}").phone = plain(f"1380013800{number}")
            queue_message(session, f"web:{number}", [{"text": "您好"}])
        for number in range(3):
            save_media(session, "web:1", f"photo {number}".encode(), "image/jpeg", {"n": number})


def new_key(store: CityStore) -> str:
    """Make a new key current; the former one becomes an old one."""
    old = store.settings.data_key.get_secret_value()
    new = Fernet.generate_key().decode()
    store.configure(DATA_KEY=new, DATA_KEYS_OLD=old)
    return new


def needed() -> set[str]:
    return {key for place in rotation.census() for key in place.keys}


def phones() -> list[object]:
    with unit_of_work() as session:
        return [
            reveal(session, session.get_one(Citizen, f"web:{n}"), "phone", actor="a", purpose="p")
            for n in range(PEOPLE)
        ]


def all_of(batches: Iterator[tuple[str, int]]) -> dict[str, int]:
    done: dict[str, int] = {}
    for table, rows in batches:
        done[table] = done.get(table, 0) + rows
    return done


def test_everything_is_written_under_the_new_key(any_store: CityStore) -> None:
    fill()
    before = keyring().current
    new = new_key(any_store)
    assert needed() == {before}
    written = all_of(rotation.rotate_columns())
    assert written == {"citizens": PEOPLE, "outgoing_messages": PEOPLE, "media": 3}
    assert len(list(rotation.rotate_files())) == 3
    assert needed() == {keyring().current} != {before}
    any_store.configure(DATA_KEY=new, DATA_KEYS_OLD="")
    assert phones() == [f"1380013800{number}" for number in range(PEOPLE)]
    media = any_store.rows(Media)[0]
    with unit_of_work() as session:
        _, photo = read_media(session, media.id, actor="a", purpose="p")
        assert reveal(session, media, "evidence", actor="a", purpose="p") == {"n": int(photo[-1:])}


def test_a_rotation_that_was_broken_off_goes_on(any_store: CityStore) -> None:
    fill()
    new_key(any_store)
    assert next(rotation.rotate_columns()) == ("citizens", 3)
    next(rotation.rotate_files())
    written = all_of(rotation.rotate_columns())
    assert written["citizens"] == PEOPLE - 3
    assert len(list(rotation.rotate_files())) == 2
    assert all_of(rotation.rotate_columns()) == {}
    assert needed() == {keyring().current}


def test_what_was_written_before_there_were_ids_is_found_and_rewritten(
    any_store: CityStore,
) -> None:
    fill()
    old = Fernet(any_store.settings.data_key.get_secret_value())
    bare = type_coerce(old.encrypt(json.dumps("13900139000").encode()), LargeBinary)
    with unit_of_work() as session:
        session.execute(update(Citizen).where(Citizen.id == "web:3").values(phone=bare))
    blob_store().put("0123456789abcdef.thumb", old.encrypt(b"small"))
    assert phones()[3] == "13900139000"
    assert needed() == {NO_ID, keyring().current}
    assert all_of(rotation.rotate_columns()) == {"citizens": 1}
    assert list(rotation.rotate_files()) == ["0123456789abcdef.thumb"]
    assert needed() == {keyring().current}
    assert phones()[3] == "13900139000"


def test_a_value_that_changes_meanwhile_is_not_overwritten(any_store: CityStore) -> None:
    fill()
    new_key(any_store)
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work() as session:
            session.get_one(Citizen, "web:0").phone = plain("new")
            session.flush()
            rotating = pool.submit(lambda: all_of(rotation.rotate_columns()))
        assert rotating.result(60)["citizens"] == PEOPLE
    assert phones()[0] == "new"
    columns = [place for place in rotation.census() if place.name != "media"]
    assert {key for place in columns for key in place.keys} == {keyring().current}


def test_a_key_that_is_gone_is_named(city_store: CityStore) -> None:
    fill()
    gone = keyring().current
    city_store.configure(DATA_KEY=Fernet.generate_key().decode())
    with pytest.raises(ConfigurationError, match=rf"citizens:web:0\.phone needs key {gone}"):
        list(rotation.rotate_columns())


def test_every_encrypted_column_is_found() -> None:
    found = {
        f"{table.name}.{c.name}" for table, columns in rotation.encrypted_columns() for c in columns
    }
    assert found >= {
        "citizens.phone",
        "tickets.contact",
        "ticket_followers.words",
        "checklists.plan",
        "handover_messages.body",
        "call_backs.contact",
        "notice_contacts.secret",
        "settled_groups.title",
        "unanswered_questions.words",
    }
