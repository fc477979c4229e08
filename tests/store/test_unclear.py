"""Messages that were not understood are kept masked, without a sender, for a while."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from store.database import unit_of_work
from store.models import AuditEntry, UnclearMessage, utc_now
from store.unclear import decide, keep_unclear, note_choice, read_unclear
from tests.store.city import CityStore

RANKING = [{"name": "ask_fee", "confidence": 0.31}, {"name": "ask_service", "confidence": 0.3}]


def keep(words: str, message_id: str = "m1", keep_days: int = 90) -> None:
    with unit_of_work() as session:
        keep_unclear(session, message_id, words, RANKING, keep_days)


def test_words_are_masked_and_encrypted(any_store: CityStore) -> None:
    keep("我电话13912345678那个啥要几多")
    with unit_of_work() as session:
        (row,) = session.scalars(select(UnclearMessage))
        assert b"13912345678" not in row.words.token()
        (message,) = read_unclear(session, "open", "official:wang")
        assert message.words == "我电话<手机号>那个啥要几多"
        assert message.ranking == (("ask_fee", 0.31), ("ask_service", 0.3))
    (entry,) = any_store.rows(AuditEntry)
    assert (entry.actor, entry.purpose) == ("official:wang", "nlu_review")


def test_the_button_pressed_afterwards_is_noted(any_store: CityStore) -> None:
    keep("那个几多", "m1")
    keep("搞么子", "m2")
    with unit_of_work() as session:
        note_choice(session, "m1", "ask_fee")
    with unit_of_work() as session:
        chosen = {m.words: m.chosen for m in read_unclear(session, "open", "official:wang")}
    assert chosen == {"那个几多": "ask_fee", "搞么子": None}


def test_a_decision_is_taken_once(any_store: CityStore) -> None:
    keep("那个几多")
    keep("哈哈嘿")
    with unit_of_work() as session:
        one, other = (m.id for m in read_unclear(session, "open", "official:wang"))
        assert decide(session, [one], "ask_fee") == [one]
        assert decide(session, [other], None) == [other]
    with unit_of_work() as session:
        assert decide(session, [one, other], "help") == []
        assert [m.intent for m in read_unclear(session, "decided", "official:wang")] == ["ask_fee"]
        assert [m.words for m in read_unclear(session, "dropped", "official:wang")] == ["哈哈嘿"]


def test_old_messages_are_forgotten(any_store: CityStore) -> None:
    keep("很久以前")
    with unit_of_work() as session:
        session.scalars(select(UnclearMessage)).one().at = utc_now() - timedelta(days=91)
    keep("刚刚")
    with unit_of_work() as session:
        assert [m.words for m in read_unclear(session, "open", "official:wang")] == ["刚刚"]
