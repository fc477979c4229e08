from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.errors import ConfigurationError
from store.database import unit_of_work
from store.keyring import keyring
from store.models import AuditEntry, Citizen, OutgoingMessage, Ticket, TicketEvent, plain
from store.people import citizen, queue_message, save_profile
from store.privacy import Sealed, reveal
from store.tickets import add_event, queue_outbox
from tests.store.city import CityStore

NAME = "欧阳修远"
PHONE = "13800138000"
WORDS = "楼下烧烤店油烟直灌卧室，联系13800138000"
ADDRESS = "云东区文昌街道春风里12号"


def fill() -> None:
    with unit_of_work() as session:
        person = citizen(session, "web:1")
        person.name, person.phone = plain(NAME), plain(PHONE)
        person.id_number = plain("33010219900307123X")
        save_profile(session, "web:1", "resident", {"age": 82, "note": NAME})
        ticket = Ticket(
            id="SM20261121000001",
            citizen_id="web:1",
            draft_id="d1",
            status="draft",
            category="air.cooking_fume",
            severity="normal",
            department="市城市管理局",
            address=plain(ADDRESS),
            description=plain(WORDS),
        )
        session.add(ticket)
        session.flush()
        add_event(session, ticket, "submitted", actor="citizen:web:1", note=WORDS)
        queue_outbox(session, ticket, "update", "k1", {"description": WORDS})
        queue_message(session, "web:1", [{"text": WORDS}])


def phone_of(citizen_id: str, purpose: str = "test") -> object:
    with unit_of_work() as session:
        person = session.get_one(Citizen, citizen_id)
        return reveal(session, person, "phone", actor="official:李敏", purpose=purpose)


def test_the_file_holds_no_plain_text(city_store: CityStore) -> None:
    fill()
    stored = city_store.bytes_on_disk()
    assert "市城市管理局".encode() in stored  # the right file, and text is stored as UTF-8
    for secret in (NAME, PHONE, WORDS[:8], ADDRESS, "春风里", "330102", '"age"'):
        for written in (secret.encode(), secret.encode("unicode_escape")):
            assert written not in stored, secret
    tokens = city_store.raw("SELECT phone, profile FROM citizens")[0]
    assert all(bytes(token).startswith(keyring().mark + b"gAAAA") for token in tokens)


def test_the_same_value_is_never_the_same_ciphertext(city_store: CityStore) -> None:
    with unit_of_work() as session:
        session.add_all([Citizen(id="web:1", phone=plain(PHONE)), Citizen(id="web:2")])
        session.get_one(Citizen, "web:2").phone = plain(PHONE)
    first, second = (row[0] for row in city_store.raw("SELECT phone FROM citizens"))
    assert first != second


def test_a_sealed_value_shows_itself_nowhere(city_store: CityStore) -> None:
    fill()
    person = city_store.rows(Citizen)[0]
    assert isinstance(person.phone, Sealed)
    assert repr(person.phone) == str(person.phone) == f"{person.phone}" == "<sealed>"
    assert person.phone.token().startswith(keyring().mark)
    assert isinstance(city_store.rows(TicketEvent)[0].note, Sealed)
    assert isinstance(city_store.rows(OutgoingMessage)[0].body, Sealed)


def test_reading_is_written_down(any_store: CityStore) -> None:
    with unit_of_work() as session:
        session.add(Citizen(id="web:1", phone=plain(PHONE)))
    assert phone_of("web:1", "hotline call") == PHONE
    (entry,) = any_store.rows(AuditEntry)
    assert (entry.actor, entry.purpose, entry.record, entry.field) == (
        "official:李敏",
        "hotline call",
        "citizens:web:1",
        "phone",
    )


def test_reading_an_empty_column_is_written_down_too(city_store: CityStore) -> None:
    with unit_of_work() as session:
        citizen(session, "web:1")
    assert phone_of("web:1") is None
    assert len(city_store.rows(AuditEntry)) == 1


def test_the_audit_row_stands_and_falls_with_its_transaction(any_store: CityStore) -> None:
    with unit_of_work() as session:
        session.add(Citizen(id="web:1", phone=plain(PHONE)))
    with pytest.raises(RuntimeError), unit_of_work() as session:
        person = session.get_one(Citizen, "web:1")
        assert reveal(session, person, "phone", actor="a", purpose="p") == PHONE
        raise RuntimeError
    assert any_store.rows(AuditEntry) == []


def test_keys_rotate(city_store: CityStore) -> None:
    old = city_store.settings.data_key.get_secret_value()
    with unit_of_work() as session:
        session.add(Citizen(id="web:1", phone=plain(PHONE)))
    new = Fernet.generate_key().decode()
    city_store.configure(DATA_KEY=f"{new}, {old}")
    assert phone_of("web:1") == PHONE
    with unit_of_work() as session:
        session.add(Citizen(id="web:2", phone=plain("13900139000")))
    city_store.configure(DATA_KEY=new)
    assert phone_of("web:2") == "13900139000"
    with pytest.raises(ConfigurationError, match=r"citizens:web:1\.phone"):
        phone_of("web:1")


def test_a_sealed_value_is_moved_without_being_opened(city_store: CityStore) -> None:
    with unit_of_work() as session:
        session.add(Citizen(id="web:1", phone=plain(PHONE)))
    with unit_of_work() as session:
        phone = session.get_one(Citizen, "web:1").phone
        session.add(Citizen(id="web:2", phone=phone))
    assert phone_of("web:2") == PHONE
    assert len(city_store.rows(AuditEntry)) == 1


@pytest.mark.parametrize("key", ["", "short", "=" * 44, "not base64 at all!" * 3, ","])
def test_without_a_proper_key_nothing_is_stored(city_store: CityStore, key: str) -> None:
    city_store.configure(DATA_KEY=key)
    with pytest.raises(ConfigurationError, match="SHIMIN_DATA_KEY"):
        keyring()
    with pytest.raises(Exception, match="SHIMIN_DATA_KEY"), unit_of_work() as session:
        session.add(Citizen(id="web:1", phone=plain(PHONE)))
    assert city_store.rows(Citizen) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(value=JSON_VALUES.filter(lambda value: value is not None))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_comes_back_as_it_went_in(city_store: CityStore, value: object) -> None:
    with pytest.raises(InterruptedError), unit_of_work() as session:
        session.add(Citizen(id="web:1", profile=plain(value)))
        session.flush()
        session.expire_all()
        person = session.get_one(Citizen, "web:1")
        assert isinstance(person.profile, Sealed)
        assert reveal(session, person, "profile", actor="a", purpose="p") == value
        raise InterruptedError  # leave nothing behind for the next example
