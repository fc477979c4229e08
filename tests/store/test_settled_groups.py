"""Groups of unanswered questions that were dealt with, on each database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from base.errors import InputError, StateError
from store.answer_quality import forget_questions, keep_unanswered, read_unanswered
from store.database import unit_of_work
from store.models import AuditEntry, utc_now
from store.quality_models import SettledGroup, UnansweredQuestion
from store.settled_groups import OUTCOMES, Outcome, Settled, read_settled, reopen, settle
from tests.store.city import CityStore

NOW = utc_now()
WANG, LI = "official:wang", "official:li"


def ask(*words: str) -> list[int]:
    """Keep questions; return the ids of everything kept, oldest first."""
    with unit_of_work() as session:
        for text in words:
            keep_unanswered(session, text, "unknown", text)
    with unit_of_work() as session:
        return list(session.scalars(select(UnansweredQuestion.id).order_by(UnansweredQuestion.id)))


def mark(questions: list[int], outcome: Outcome = "alias", by: str = WANG, **more: str) -> int:
    with unit_of_work() as session:
        return settle(session, questions, outcome, by=by, now=NOW, **more)


def listed() -> list[str]:
    with unit_of_work() as session:
        since = NOW - timedelta(days=400)
        return [question.words for question in read_unanswered(session, since, WANG, 99)]


def done() -> list[Settled]:
    with unit_of_work() as session:
        return read_settled(session, NOW - timedelta(days=400), LI)


def test_what_is_done_leaves_the_list_with_its_story_and_comes_back(any_store: CityStore) -> None:
    first, second, _ = ask("养狗要办证吗", "狗证在哪办", "无人机要报备吗")
    made = mark([second, first], "new_item", matter="dog_licence", note=" 周五上线 ")
    assert listed() == ["无人机要报备吗"]
    (one,) = done()
    assert (one.id, one.title, one.outcome) == (made, "狗证在哪办", "new_item")
    assert (one.matter, one.note, one.by, one.at) == ("dog_licence", "周五上线", WANG, NOW)
    assert [question.words for question in one.questions] == ["养狗要办证吗", "狗证在哪办"]
    (row,) = any_store.rows(SettledGroup)
    assert "狗证".encode() not in row.title.token()
    assert {(e.actor, e.purpose) for e in any_store.rows(AuditEntry)} >= {
        (LI, "unanswered_questions")
    }
    with unit_of_work() as session:
        assert reopen(session, made) == 2
    assert len(listed()) == 3
    assert done() == []
    with unit_of_work() as session, pytest.raises(StateError, match="not_settled"):
        reopen(session, made)


def test_two_editors_never_have_the_same_question(any_store: CityStore) -> None:
    first, second, third = ask("一", "二", "三")
    mark([first, second])
    mark([first, third], by=LI)
    newest, oldest = done()
    assert [q.id for q in oldest.questions] == [first, second]
    assert (newest.title, [q.id for q in newest.questions]) == ("三", [third])
    with pytest.raises(StateError, match="already_settled"):
        mark([first, second, third], by=LI)
    assert len(done()) == 2


@pytest.mark.parametrize(
    ("outcome", "note", "many", "code"),
    [
        ("nothing", "", 1, "unknown_outcome"),
        ("alias", "长" * 201, 1, "note_too_long"),
        ("alias", "", 3001, "too_many_questions"),
    ],
)
def test_what_makes_no_sense_is_refused(
    city_store: CityStore, outcome: Outcome, note: str, many: int, code: str
) -> None:
    kept = ask("养狗要办证吗")
    with pytest.raises(InputError, match=code):
        mark(kept * many, outcome, note=note)
    assert listed() == ["养狗要办证吗"]
    with pytest.raises(StateError, match="already_settled"):
        mark([], OUTCOMES[0])


def test_a_group_is_forgotten_with_the_last_of_its_questions(any_store: CityStore) -> None:
    old, new = ask("很久以前", "昨天")
    mark([old, new])
    with unit_of_work() as session:
        row = update(UnansweredQuestion).where(UnansweredQuestion.id == old)
        session.execute(row.values(at=NOW - timedelta(days=91)))
    with unit_of_work() as session:
        assert forget_questions(session, 90, NOW) == 1
    (one,) = done()
    assert [question.words for question in one.questions] == ["昨天"]
    with unit_of_work() as session:
        assert forget_questions(session, 90, NOW + timedelta(days=91)) == 1
    assert any_store.rows(SettledGroup) == any_store.rows(UnansweredQuestion) == []
