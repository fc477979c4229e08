from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.database import downgrade, make_engine, unit_of_work, upgrade
from store.feedback import feedback_of, note_opened, save_feedback
from store.models import Subscription
from store.notice_contacts import (
    contact,
    end_by_link,
    find_contacts,
    link_of,
    remove_contact,
    save_contact,
)
from store.notice_models import NoticeContact, NoticeDelivery, NoticeDigest, PolicyNotice
from store.notices import (
    BEFORE_ALL,
    claim_delivery,
    compose,
    due_people,
    forget_sent,
    known_notices,
    note_known,
    note_look,
    note_versions,
    outcomes,
    read_person,
    revive_failed,
)
from store.people import (
    acknowledge,
    channels_of,
    forget_profile,
    inbox,
    read_told,
    save_birth,
    save_profile,
    subscribe,
    unsubscribe,
    unsubscribe_all,
)
from store.privacy import reveal
from tests.store.city import CityStore

ME, OTHER = "web:1", "web:2"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
KEY = (("grant", 1, "match"), "new")
SECRET_ADDRESS = "https://oapi.dingtalk.com/robot/send?access_token=very-secret-token"


def written(*channels: str, key: Any = KEY) -> NoticeDigest:
    with unit_of_work() as session:
        return compose(session, ME, [key], channels, [{"text": "有新政策"}], NOW)


def resident(citizen_id: str = ME, now: datetime = NOW) -> None:
    with unit_of_work() as session:
        save_profile(session, citizen_id, "resident", {"age": 79}, now=now)
        subscribe(session, citizen_id, now=now)


# --- the migration ------------------------------------------------------------------------


def test_subscriptions_of_before_become_those_of_the_chat_and_go_back(
    any_store: CityStore,
) -> None:
    resident(ME)
    resident(OTHER)
    with unit_of_work() as session:
        unsubscribe(session, OTHER, now=NOW)
        save_contact(session, ME, "email", "a@example.com", None, "paper form", NOW)
    downgrade("0003", any_store.url)
    engine = make_engine(any_store.url)
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        assert "policy_notices" not in inspector.get_table_names()
        columns = {column["name"] for column in inspector.get_columns("subscriptions")}
        assert columns == {"citizen_id", "created_at", "ended_at"}
        assert connection.scalar(sa.text("SELECT count(*) FROM subscriptions")) == 2
    engine.dispose()
    upgrade(any_store.url)
    after = any_store.rows(Subscription)
    assert {row.channel for row in after} == {"chat"}
    assert len({row.link_id for row in after}) == 2
    ended = {row.citizen_id: row.ended_at for row in after}
    assert ended == {ME: None, OTHER: NOW}


# --- once ---------------------------------------------------------------------------------


def test_the_database_refuses_a_second_notice(any_store: CityStore) -> None:
    resident()
    written("chat")
    with pytest.raises(IntegrityError):
        written("chat")
    assert len(any_store.rows(NoticeDigest)) == 1
    assert len(any_store.rows(PolicyNotice)) == 1
    with unit_of_work() as session:
        assert len(inbox(session, ME, 0)) == 1
    written("chat", key=(("grant", 2, "match"), "changed"))
    written("chat", key=(("grant", 1, "closes_7"), "deadline"))
    assert len(any_store.rows(PolicyNotice)) == 3


def test_the_chats_message_is_delivered_when_the_client_says_so(any_store: CityStore) -> None:
    resident()
    written("chat", "email")
    with unit_of_work() as session:
        ((number, _),) = inbox(session, ME, 0)
    states = {row.channel: row.state for row in any_store.rows(NoticeDelivery)}
    assert states == {"chat": "queued", "email": "queued"}
    with unit_of_work() as session:
        acknowledge(session, ME, number)
    rows = {row.channel: row for row in any_store.rows(NoticeDelivery)}
    assert rows["chat"].state == "delivered"
    assert rows["chat"].delivered_at is not None
    assert rows["email"].state == "queued"
    with unit_of_work() as session:
        note_opened(session, ME, "grant", NOW)
        acknowledge(session, ME, number)
    assert {r.channel: r.state for r in any_store.rows(NoticeDelivery)}["chat"] == "opened"
    with unit_of_work() as session:
        save_feedback(session, ME, "grant", "applied", NOW)
        assert outcomes(session) == {"grant": {"notified": {ME}, "opened": {ME}, "applied": {ME}}}


def test_asking_about_one_policy_of_a_message_opens_that_one(any_store: CityStore) -> None:
    resident()
    with unit_of_work() as session:
        keys = [(("grant", 1, "match"), "new"), (("loan", 1, "match"), "new")]
        compose(session, ME, keys, ["chat", "email"], [{"text": "有新政策"}], NOW)
        note_known(session, ME, [("seen", 1)], NOW)
    with unit_of_work() as session:
        for row in session.scalars(sa.select(NoticeDelivery)):
            row.state = "delivered"
        note_opened(session, ME, "loan", NOW)
        note_opened(session, ME, "seen", NOW)  # he asked, but nobody had told him
        note_opened(session, ME, "loan", NOW + timedelta(days=1))
    with unit_of_work() as session:
        assert outcomes(session) == {
            "grant": {"notified": {ME}},
            "loan": {"notified": {ME}, "opened": {ME}},
            "seen": {"seen": {ME}},
        }
    opened = {row.policy_id: row.opened_at for row in any_store.rows(PolicyNotice)}
    assert opened == {"grant": None, "loan": NOW, "seen": None}


def test_openings_of_before_are_kept_where_it_is_plain_which_policy_was_meant(
    any_store: CityStore,
) -> None:
    resident()
    both = [(("grant", 1, "match"), "new"), (("loan", 1, "match"), "new")]
    with unit_of_work() as session:
        compose(session, ME, both, ["chat"], [{"text": "两项"}], NOW)
        compose(session, ME, [(("plain", 1, "match"), "new")], ["chat"], [{"text": "一项"}], NOW)
        for row in session.scalars(sa.select(NoticeDelivery)):
            row.state, row.opened_at = "opened", NOW
    downgrade("0013", any_store.url)
    upgrade(any_store.url)
    opened = {row.policy_id: row.opened_at for row in any_store.rows(PolicyNotice)}
    assert opened == {"grant": None, "loan": None, "plain": NOW}


def test_a_delivery_is_claimed_by_one_worker_until_its_lease_ends(any_store: CityStore) -> None:
    resident()
    written("email", "dingtalk", "chat")
    lease = timedelta(minutes=5)

    def claim(now: datetime, *without: str) -> str | None:
        with unit_of_work() as session:
            found = claim_delivery(session, now, lease, without)
            return found.channel if found else None

    assert claim(NOW, "email") == "dingtalk"
    assert [claim(NOW), claim(NOW)] == ["email", None]
    assert claim(NOW + lease) is not None
    with unit_of_work() as session:
        for row in session.scalars(sa.select(NoticeDelivery)):
            row.state = "failed"
        session.flush()
        assert revive_failed(session, NOW + timedelta(hours=1)) == 3
    assert claim(NOW) is None
    assert claim(NOW + timedelta(hours=2)) in {"email", "dingtalk"}


# --- who is looked at ---------------------------------------------------------------------


def test_people_are_looked_at_when_something_may_have_changed(any_store: CityStore) -> None:
    settle = timedelta(minutes=30)

    def due(now: datetime, fingerprint: str = "a") -> list[str]:
        with unit_of_work() as session:
            return due_people(session, now, fingerprint, settle, "", 10)

    def look(now: datetime) -> None:
        with unit_of_work() as session:
            note_look(session, ME, now=now, fingerprint="a", next_at=NOW + timedelta(days=1),
                      settled=True)  # fmt: skip

    resident()
    with unit_of_work() as session:
        subscribe(session, OTHER, now=NOW)  # nothing is known of him
    assert due(NOW) == []  # he is still in a conversation
    later = NOW + settle
    assert due(later) == [ME]
    look(later)
    assert due(later) == []
    assert due(later, "b") == [ME]
    assert due(NOW + timedelta(days=1)) == [ME]
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 80}, now=later + settle)
    assert due(later + settle + settle) == [ME]
    with unit_of_work() as session:
        unsubscribe(session, ME)
    assert due(NOW + timedelta(days=2)) == []


def test_versions_that_were_there_at_the_beginning_are_no_news(any_store: CityStore) -> None:
    with unit_of_work() as session:
        assert note_versions(session, [("grant", 1)], NOW) == {("grant", 1): BEFORE_ALL}
    with unit_of_work() as session:
        seen = note_versions(session, [("grant", 1), ("grant", 2), ("new", 1)], NOW)
    assert seen == {("grant", 1): BEFORE_ALL, ("grant", 2): NOW, ("new", 1): NOW}


def test_what_a_person_is_told_by_is_read_at_once(any_store: CityStore) -> None:
    resident()
    written("chat")
    with unit_of_work() as session:
        save_birth(session, ME, datetime(1947, 1, 2, tzinfo=UTC).date(), NOW)
        save_feedback(session, ME, "a", "applied", NOW)
        save_feedback(session, ME, "b", "applied", NOW)
        save_feedback(session, ME, "b", "declined", NOW)
        note_known(session, ME, [("seen", 3), ("grant", 1)], NOW)
        note_known(session, ME, [("seen", 3)], NOW)
    with unit_of_work() as session:
        person = read_person(session, ME, "test", NOW, NOW - timedelta(days=7))
    assert (person.received, person.declined) == ({"a"}, {"b"})
    assert person.known == {("grant", 1, "match"), ("seen", 3, "match")}
    assert person.digests == ((NOW, NOW),)
    assert person.news_since == NOW
    assert str(person.told.birth) == "1947-01-02"
    assert str(person.told.days["resident"]["age"]) == "2026-11-22"


def test_an_age_keeps_its_day_until_it_is_told_again(any_store: CityStore) -> None:
    resident()
    later = NOW + timedelta(days=40)

    def days() -> dict[str, str]:
        with unit_of_work() as session:
            told = read_told(session, ME, "test")
        return {name: str(day) for name, day in told.days["resident"].items()}

    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 79, "hukou": "local"}, now=later)
    assert days() == {"age": "2026-11-22", "hukou": "2027-01-01"}
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 79}, told=["age"], now=later)
    assert days() == {"age": "2027-01-01"}


# --- consent ------------------------------------------------------------------------------


def test_each_channel_has_its_own_consent(any_store: CityStore) -> None:
    resident()
    with unit_of_work() as session:
        save_contact(session, ME, "dingtalk", SECRET_ADDRESS, "s3cret", "paper form", NOW)
        save_contact(session, ME, "email", "a@example.com", None, "paper form", NOW)
    written("chat", "dingtalk", "email")
    with unit_of_work() as session:
        assert channels_of(session, ME) == ("chat", "dingtalk", "email")
        assert unsubscribe(session, ME)
        assert channels_of(session, ME) == ("dingtalk", "email")
        end_by_link(session, link_of(session, ME, "email"), NOW)
        end_by_link(session, "unknown", NOW)
        assert channels_of(session, ME) == ("dingtalk",)
    states = {row.channel: row.state for row in any_store.rows(NoticeDelivery)}
    assert (states["email"], states["dingtalk"]) == ("ended", "queued")
    with unit_of_work() as session:
        assert len(find_contacts(session)) == 2
        assert unsubscribe_all(session, ME)
        assert not unsubscribe_all(session, ME)
        assert remove_contact(session, ME, "dingtalk", NOW)
        assert not remove_contact(session, ME, "dingtalk", NOW)


def test_addresses_are_encrypted_and_read_with_a_trace(city_store: CityStore) -> None:
    with unit_of_work() as session:
        save_contact(session, ME, "dingtalk", SECRET_ADDRESS, "s3cret-key", "王小云口头同意", NOW)
    with unit_of_work() as session:
        found = contact(session, ME, "dingtalk")
        assert found is not None
        assert reveal(session, found, "address", actor="t", purpose="t") == SECRET_ADDRESS
        assert reveal(session, found, "secret", actor="t", purpose="t") == "s3cret-key"
    for words in ("very-secret-token", "s3cret-key", "王小云"):
        assert words.encode() not in city_store.bytes_on_disk()


def test_forgetting_a_person_forgets_where_and_what_he_was_told(any_store: CityStore) -> None:
    resident()
    with unit_of_work() as session:
        save_contact(session, ME, "email", "a@example.com", None, "paper form", NOW)
        save_feedback(session, ME, "grant", "applied", NOW)
    written("chat", "email")
    with unit_of_work() as session:
        assert forget_profile(session, ME)
    for model in (PolicyNotice, NoticeDigest, NoticeDelivery, NoticeContact):
        assert any_store.rows(model) == []
    rows = any_store.rows(Subscription)
    assert all(row.ended_at is not None and row.consent is None for row in rows)
    with unit_of_work() as session:
        assert feedback_of(session, ME) == {}


def test_old_messages_go_and_what_was_told_stays(any_store: CityStore) -> None:
    resident()
    written("chat", "email")
    with unit_of_work() as session:
        forget_sent(session, NOW)
        assert len(session.scalars(sa.select(NoticeDigest)).all()) == 1
        forget_sent(session, NOW + timedelta(days=1))
    assert any_store.rows(NoticeDelivery) == []
    with unit_of_work() as session:
        assert known_notices(session, ME) == {("grant", 1, "match")}
