"""Groups of unanswered questions: the same whatever the order, equal ones together."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.encoder import get_encoder
from base.settings import get_settings
from enquiries.unanswered import Cluster, group, labels
from matcher.elsewhere import load_elsewhere
from matcher.finder import Matter, ServiceFinder
from matcher.service import load_services
from store.answer_quality import Kind, Unanswered
from store.models import utc_now
from store.settled_groups import Settled

NOW = utc_now()
WORDS = (
    "养狗要办狗证吗",
    "家里养了条狗，狗证在哪办",
    "无人机飞行要不要报备",
    "飞无人机去哪里登记",
    "身份证弄丢了咋个补",
    "商标注册找谁",
)


@lru_cache(maxsize=1)
def finder() -> ServiceFinder:
    """A finder of few matters, so that it is quick to build."""
    root = get_settings().policies_dir
    items = [i for i in load_services(root / "services") if "身份证" in i.name or "护照" in i.name]
    matters: list[Matter] = [*items, *load_elsewhere(root / "elsewhere.yml")[:3]]
    return ServiceFinder(matters, get_encoder())


def asked(words: str, number: int, kind: Kind = "unknown", *seen: str) -> Unanswered:
    return Unanswered(number, NOW, kind, words, tuple((name, 0.3) for name in seen))


def grouped(*questions: Unanswered) -> list[Cluster]:
    return group(questions, finder(), get_encoder())


@settings(max_examples=8, deadline=None)
@given(st.permutations([*enumerate(WORDS + WORDS[:2])]))
def test_the_order_of_questions_does_not_matter(numbered: list[tuple[int, str]]) -> None:
    found = grouped(*(asked(text, number) for number, text in numbered))
    usual = grouped(*(asked(text, number) for number, text in sorted(numbered)))
    assert found == usual
    assert sum(cluster.size for cluster in found) == len(numbered)
    assert sorted(name for cluster in found for name in cluster.questions) == [*range(8)]


def test_the_same_question_is_in_one_group() -> None:
    (found,) = grouped(*(asked("养狗要办狗证吗", number) for number in range(7)))
    assert (found.size, found.title, found.examples) == (7, "养狗要办狗证吗", ("养狗要办狗证吗",))


def test_what_means_the_same_is_together_and_other_things_are_not() -> None:
    found = grouped(*(asked(text, number) for number, text in enumerate(WORDS)))
    group_of = {text: cluster.title for cluster in found for text in cluster.examples}
    assert group_of[WORDS[0]] == group_of[WORDS[1]]
    assert group_of[WORDS[2]] == group_of[WORDS[3]]
    assert len({group_of[WORDS[0]], group_of[WORDS[2]], group_of[WORDS[4]]}) == 3


def test_an_item_that_is_near_gets_an_alias_unless_the_citizens_said_no() -> None:
    (lost,) = grouped(asked("身份证丢了怎么补", 1))
    best, name, _ = lost.nearest[0]
    assert lost.suggestion.startswith(f"给“{name}”补一条")
    (no,) = grouped(asked("身份证丢了怎么补", 1, "none_fits", best))
    assert f"“{name}”" not in no.suggestion


def test_nothing_near_asks_for_a_new_item_and_elsewhere_is_known() -> None:
    (drone,) = grouped(asked("无人机在江边飞要不要报备空域", 1))
    assert "新增事项" in drone.suggestion
    other = load_elsewhere(get_settings().policies_dir / "elsewhere.yml")[0]
    (known,) = grouped(asked(other.questions[0], 1, "elsewhere", other.id))
    assert other.name in known.suggestion
    assert known.suggestion.startswith("已在 elsewhere.yml")


def settled(number: int, *words: str) -> Settled:
    questions = tuple(asked(text, 100 + row) for row, text in enumerate(words))
    return Settled(number, words[0], "alias", None, "", "official:wang", NOW, questions)


def test_what_is_asked_like_a_settled_group_has_come_again() -> None:
    dogs, drones = settled(1, WORDS[0]), settled(2, WORDS[2], WORDS[3])
    fresh = [asked(WORDS[1], 1), asked(WORDS[4], 2), asked(WORDS[5], 3)]
    found = group(fresh, finder(), get_encoder(), [dogs, drones])
    assert {cluster.title: cluster.again for cluster in found} == {
        WORDS[1]: dogs,
        WORDS[4]: None,
        WORDS[5]: None,
    }
    forgotten = replace(dogs, questions=())
    assert [c.again for c in group(fresh, finder(), get_encoder(), [forgotten])] == [None] * 3


def test_a_group_names_its_questions_and_the_title_s_first() -> None:
    (found,) = grouped(asked(WORDS[0], 3), asked(WORDS[1], 1), asked(WORDS[0], 2))
    assert (found.title, found.questions) == (WORDS[0], (2, 1, 3))


def test_nothing_asked_gives_no_group() -> None:
    assert grouped() == []
    assert grouped(asked("   ", 1)) == []


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_equal_vectors_share_a_label(rows: int) -> None:
    vectors = np.tile(np.eye(1, 8, dtype=np.float32), (rows, 1))
    assert len(set(labels(vectors).tolist())) <= 1
