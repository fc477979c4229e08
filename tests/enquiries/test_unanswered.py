"""Groups of unanswered questions: the same whatever the order, equal ones together."""

from __future__ import annotations

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
@given(st.permutations(WORDS + WORDS[:2]))
def test_the_order_of_questions_does_not_matter(words: list[str]) -> None:
    found = grouped(*(asked(text, number) for number, text in enumerate(words)))
    usual = grouped(*(asked(text, number) for number, text in enumerate(WORDS + WORDS[:2])))
    assert found == usual
    assert sum(cluster.size for cluster in found) == len(words)


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


def test_nothing_asked_gives_no_group() -> None:
    assert grouped() == []
    assert grouped(asked("   ", 1)) == []


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_equal_vectors_share_a_label(rows: int) -> None:
    vectors = np.tile(np.eye(1, 8, dtype=np.float32), (rows, 1))
    assert len(set(labels(vectors).tolist())) <= 1
