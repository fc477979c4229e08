"""Figures, ratings and unanswered questions, on each database."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import select

from store.answer_quality import (
    answer_key,
    count,
    figures,
    forget_questions,
    keep_unanswered,
    rate,
    read_unanswered,
)
from store.database import MIGRATIONS, make_engine, reading, unit_of_work
from store.models import AuditEntry, utc_now
from store.quality_models import AnswerRating, UnansweredQuestion
from tests.store.city import CityStore

DAY = date(2026, 11, 20)


def test_answers_add_up_by_item_and_day(any_store: CityStore) -> None:
    with unit_of_work() as session:
        count(session, "id_card", DAY, answers=1)
        count(session, "id_card", DAY, answers=1)
        count(session, "id_card", DAY, hand_overs=1)
        count(session, "id_card", DAY - timedelta(days=1), answers=5)
        count(session, "passport", DAY, answers=1)
    with reading() as session:
        found = figures(session, DAY)
        assert (found["id_card"].answers, found["id_card"].hand_overs) == (2, 1)
        assert found["passport"].answers == 1
        assert figures(session, DAY - timedelta(days=1))["id_card"].answers == 7


def test_a_rating_under_the_same_key_is_changed_and_not_added(any_store: CityStore) -> None:
    key = answer_key("m1")
    with unit_of_work() as session:
        rate(session, key, "id_card", DAY, useful=False, reason=None)
        rate(session, key, "id_card", DAY, useful=False, reason="wrong")
        rate(session, key, "id_card", DAY, useful=False, reason=None)
        rate(session, answer_key("m2"), "id_card", DAY, useful=True, reason=None)
    with reading() as session:
        found = figures(session, DAY)["id_card"]
    assert (found.useful, found.useless, dict(found.reasons)) == (1, 1, {"wrong": 1})
    with unit_of_work() as session:
        rate(session, key, "id_card", DAY, useful=True, reason=None)
    (row,) = [row for row in any_store.rows(AnswerRating) if row.key == key]
    assert (row.useful, row.reason) == (True, None)
    assert "m1" not in row.key


def test_questions_are_masked_encrypted_and_kept_once(any_store: CityStore) -> None:
    words = "我电话13912345678，宠物狗的证怎么办"
    with unit_of_work() as session:
        keep_unanswered(session, "m1", "unknown", words, [("dog", 0.31234)])
        keep_unanswered(session, "m1", "none_fits", words)
    with unit_of_work() as session:
        (row,) = session.scalars(select(UnansweredQuestion))
        assert "139" not in row.key
        assert b"13912345678" not in row.words.token()
        assert "宠物".encode() not in row.words.token()
        since = utc_now() - timedelta(days=1)
        (question,) = read_unanswered(session, since, "official:wang", 10)
    assert question.words == "我电话<手机号>，宠物狗的证怎么办"
    assert (question.kind, question.candidates) == ("unknown", (("dog", 0.3123),))
    (entry,) = any_store.rows(AuditEntry)
    assert (entry.actor, entry.purpose) == ("official:wang", "unanswered_questions")


def test_the_newest_are_read_and_the_old_forgotten(any_store: CityStore) -> None:
    now = utc_now()
    with unit_of_work() as session:
        for age in (100, 50, 1):
            keep_unanswered(session, f"m{age}", "unknown", f"{age}天前")
            row = session.scalars(
                select(UnansweredQuestion).where(UnansweredQuestion.key == answer_key(f"m{age}"))
            ).one()
            row.at = now - timedelta(days=age)
    with unit_of_work() as session:
        every = read_unanswered(session, now - timedelta(days=365), "official:wang", 2)
        assert [question.words for question in every] == ["50天前", "1天前"]
        assert forget_questions(session, 90, now) == 1
    assert len(any_store.rows(UnansweredQuestion)) == 2


def test_the_migration_goes_back(any_store: CityStore) -> None:
    engine = make_engine(any_store.url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    tables = {"answer_counts", "answer_ratings", "unanswered_questions"}
    for step, there in (("0008", tables), ("0007", set()), ("head", tables)):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            (command.downgrade if step == "0007" else command.upgrade)(config, step)
        with engine.connect() as connection:
            assert tables & set(sa.inspect(connection).get_table_names()) == there
    engine.dispose()
