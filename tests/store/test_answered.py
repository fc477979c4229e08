from __future__ import annotations

from datetime import timedelta

from store.answered import KEEP, claim, keep_answer, release
from store.answered_models import AnsweredMessage
from store.database import unit_of_work
from store.models import AuditEntry, utc_now
from tests.store.city import CityStore

PATIENCE = timedelta(seconds=30)
ANSWER = {"replies": [{"text": "您说的是张三的事"}]}


def test_one_handles_and_the_others_get_the_answer(any_store: CityStore) -> None:
    now = utc_now()
    with unit_of_work() as session:
        assert claim(session, "web:a", "message-1", now, PATIENCE).mine
    with unit_of_work() as session:
        waiting = claim(session, "web:a", "message-1", now, PATIENCE)
        assert (waiting.mine, waiting.answer) == (False, None)
        assert claim(session, "web:b", "message-1", now, PATIENCE).mine
    with unit_of_work() as session:
        keep_answer(session, "web:a", "message-1", ANSWER)
    with unit_of_work() as session:
        later = claim(session, "web:a", "message-1", now + timedelta(hours=1), PATIENCE)
        assert (later.mine, later.answer) == (False, ANSWER)
    (read,) = (row for row in any_store.rows(AuditEntry) if row.field == "answer")
    assert (read.actor, read.purpose) == ("citizen:web:a", "message_repeated")


def test_who_died_or_gave_up_is_followed(any_store: CityStore) -> None:
    now = utc_now()
    with unit_of_work() as session:
        claim(session, "web:a", "died", now, PATIENCE)
        claim(session, "web:a", "gave-up", now, PATIENCE)
    with unit_of_work() as session:
        release(session, "web:a", "gave-up")
    with unit_of_work() as session:
        assert claim(session, "web:a", "gave-up", now, PATIENCE).mine
        late = now + PATIENCE + timedelta(seconds=1)
        assert claim(session, "web:a", "died", late, PATIENCE).mine
        assert not claim(session, "web:a", "died", late, PATIENCE).mine


def test_a_released_answer_stays(any_store: CityStore) -> None:
    now = utc_now()
    with unit_of_work() as session:
        claim(session, "web:a", "message-1", now, PATIENCE)
        keep_answer(session, "web:a", "message-1", ANSWER)
    with unit_of_work() as session:
        release(session, "web:a", "message-1")
    with unit_of_work() as session:
        assert claim(session, "web:a", "message-1", now, PATIENCE).answer == ANSWER


def test_answers_are_forgotten_in_time(any_store: CityStore) -> None:
    now = utc_now()
    with unit_of_work() as session:
        claim(session, "web:a", "old", now - KEEP - timedelta(minutes=1), PATIENCE)
        claim(session, "web:a", "young", now - KEEP + timedelta(minutes=1), PATIENCE)
    with unit_of_work() as session:
        claim(session, "web:a", "new", now, PATIENCE)
    assert {row.client_id for row in any_store.rows(AnsweredMessage)} == {"young", "new"}
