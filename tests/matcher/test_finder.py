"""Finding service items and policies by citizens' words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.encoder import get_encoder
from base.settings import Settings, get_settings
from matcher.catalogue import Catalogue
from matcher.elsewhere import Elsewhere
from matcher.finder import ServiceFinder, probabilities
from matcher.hybrid import (
    FEATURES,
    REMEMBERED,
    Calibration,
    HybridIndex,
    judge,
    load_calibration,
)
from matcher.index import Passage
from matcher.lexical import characters, normalise, syllables
from tests.matcher.counting import Counting

LIMITS = Calibration(
    weights=dict.fromkeys(FEATURES, 1.0), none=0.0, certain=0.69, possible=0.5, share=0.3
)


@pytest.fixture(scope="module")
def real() -> ServiceFinder:
    return Catalogue.load(get_settings()).service_finder


@pytest.fixture(scope="module")
def small(city: Settings) -> Catalogue:
    return Catalogue.load(city)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("我钱包掉了身份证也没了要重新弄一张", "id_card_replace"),
        ("护照怎么办", "passport"),
        ("退休了公积金能全取出来不", "housing_fund_withdraw"),
        ("想開個小超市要辦什麼證", "individual_business_setup"),
        ("刚生了娃，户口咋上啊", "birth_registration"),
        ("我们要领证结婚", "marriage_registration"),
        ("去外省看病怎么报销", "medical_remote"),
    ],
)
def test_the_item_meant_is_offered(real: ServiceFinder, text: str, item: str) -> None:
    assert item in [candidate.item.id for candidate in real.find(text).candidates]


@pytest.mark.parametrize("text", ["设保卡丢了怎么补", "公鸡金怎么题取", "身份正丢了怎么补办"])
def test_what_is_misheard_is_found_by_its_sound(real: ServiceFinder, text: str) -> None:
    expected = {"设": "social_card_replace", "公": "housing_fund_withdraw"}
    finding = real.find(text)
    assert finding.candidates[0].item.id == expected.get(text[0], "id_card_replace")


@pytest.mark.parametrize(
    "text", ["今天天气怎么样", "楼下烧烤摊油烟太大", "你好", "您好，请问", "", "  ", "?!"]
)
def test_what_means_no_item_is_unknown(real: ServiceFinder, text: str) -> None:
    finding = real.find(text)
    assert all(isinstance(candidate.item, Elsewhere) for candidate in finding.candidates)
    assert finding.kind == ("certain" if finding.candidates else "unknown")


def test_what_others_handle_is_no_item(real: ServiceFinder) -> None:
    finding = real.find("商标注册怎么弄")
    assert finding.kind == "certain"
    assert finding.candidates[0].item.id == "x_trademark"


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("社保卡", {"social_card_apply", "social_card_replace"}),
        ("请问身份证？", {"id_card_replace", "id_card_renew"}),
        ("公积金", {"housing_fund_withdraw", "housing_fund_loan"}),
        ("驾照", {"driver_license_replace", "driver_license_renew"}),
    ],
)
def test_a_word_that_several_items_share_is_asked_back(
    real: ServiceFinder, text: str, items: set[str]
) -> None:
    finding = real.find(text)
    assert finding.kind == "ambiguous"
    assert 2 <= len(finding.candidates) <= 4
    assert items <= {candidate.item.id for candidate in finding.candidates}
    scores = [candidate.score for candidate in finding.candidates]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.text(max_size=400))
def test_any_text_gets_a_sound_answer(small: Catalogue, text: str) -> None:
    finding = small.service_finder.find(text)
    count = len(finding.candidates)
    assert {"certain": count == 1, "ambiguous": 2 <= count <= 4, "unknown": count == 0}[
        finding.kind
    ]
    assert all(0 < candidate.score <= 1 for candidate in finding.candidates)
    assert sum(candidate.score for candidate in finding.candidates) <= 1.0001


def test_the_choice_can_be_narrowed(small: Catalogue) -> None:
    finder = small.policy_finder
    assert finder.find("高龄津贴怎么领").candidates[0].item.id == "elderly_allowance"
    narrowed = finder.find("高龄津贴怎么领", among={"sme_grant", "rd_deduction"})
    assert "elderly_allowance" not in {c.item.id for c in narrowed.candidates}
    assert finder.find("高龄津贴怎么领", among=()).kind == "unknown"


def test_relevance_is_each_for_itself(small: Catalogue) -> None:
    relevance = small.policy_finder.relevance("给员工做技能培训有没有补贴")
    assert max(relevance, key=lambda name: relevance[name]) == "training_grant"
    assert all(0 <= value <= 1 for value in relevance.values())
    assert set(relevance) == {policy.id for policy in small.policies}
    assert small.policy_finder.about("今天天气怎么样") == frozenset()


def test_a_title_in_the_text_names_the_policy(small: Catalogue) -> None:
    assert small.policy_finder.named("请问高龄津贴什么时候发") == {"elderly_allowance"}
    assert small.policy_finder.named("今天天气怎么样") == frozenset()


def test_a_passage_left_out_no_longer_helps(small: Catalogue) -> None:
    index = small.service_finder.index
    row = index.documents.index("marriage_registration")
    text = "领结婚证要带什么"
    whole, without = index.features(text)[row], index.features(text, without=text)[row]
    assert whole.shape == (len(FEATURES),)
    assert without[0] < whole[0]
    others = [place for place in range(len(index.documents)) if place != row]
    np.testing.assert_array_equal(
        index.features(text)[others], index.features(text, without=text)[others]
    )


PASSAGES = (
    Passage("wed", "结婚登记"),
    Passage("wed", "领结婚证要带什么"),
    Passage("card", "社保卡补办"),
    Passage("lost", "身份证补办"),
)
NAMED = {"wed": ("结婚登记",), "card": ("社保卡补办",), "lost": ("身份证补办",)}


def test_a_question_is_worked_out_once_whatever_it_is_asked_among() -> None:
    engine = Counting()
    index = HybridIndex(engine, PASSAGES, NAMED)
    engine.encoded.clear()
    every = index.logits("怎么 登记结婚", LIMITS)
    some = index.logits("怎么 登记结婚", LIMITS, {"card", "lost"})
    assert engine.encoded == ["怎么 登记结婚"]
    wed = index.documents.index("wed")
    assert np.isneginf(some[wed])
    np.testing.assert_array_equal(np.delete(some, wed), np.delete(every, wed))
    for number in range(REMEMBERED):
        index.logits(f"第{number}个问题", LIMITS)
    np.testing.assert_array_equal(index.logits("怎么 登记结婚", LIMITS), every)
    assert engine.encoded.count("怎么 登记结婚") == 2  # by then it was forgotten


def test_a_changed_index_remembers_nothing_of_the_old_one() -> None:
    index = HybridIndex(get_encoder(), PASSAGES, NAMED)
    before = index.logits("社保卡", LIMITS)
    after = index.changed([Passage("card", "驾驶证换证")], {"card": ("驾驶证换证",)})
    card = after.documents.index("card")
    assert after.logits("社保卡", LIMITS)[card] < before[card]


def test_without_learning_the_other_features_are_the_same() -> None:
    learning = HybridIndex(get_encoder(), PASSAGES, NAMED)
    plain = HybridIndex(get_encoder(), PASSAGES, NAMED, learns=False)
    column = FEATURES.index("learned")
    expected = learning.features("结婚证怎么领")
    assert expected[:, column].any()
    expected[:, column] = 0
    np.testing.assert_array_equal(plain.features("结婚证怎么领"), expected)


def test_a_word_is_shared_by_the_names_that_hold_it() -> None:
    index = HybridIndex(get_encoder(), PASSAGES, NAMED)
    assert index.sharing("补办") == {"card", "lost"}
    assert index.sharing("请问，身份证补办？") == {"lost"}
    assert index.sharing("要带什么") == frozenset()  # in a question, in no name
    card = np.array([index.documents.index("card")])
    assert index.sharing("补办", card) == {"card"}
    assert index.sharing("身份证补办", card) == frozenset()


@pytest.mark.parametrize(
    ("scores", "none", "kind", "rows"),
    [
        ([0.75, 0.2], 0.05, "certain", (0,)),
        ([0.1, 0.7], 0.2, "certain", (1,)),
        ([0.45, 0.4, 0.1], 0.05, "ambiguous", (0, 1)),
        ([0.65, 0.05, 0.0], 0.3, "ambiguous", (0, 1)),
        ([0.2, 0.2, 0.2, 0.2, 0.1], 0.1, "ambiguous", (0, 1, 2, 3)),
        ([0.3, 0.1], 0.6, "unknown", ()),
        ([0.6], 0.4, "unknown", ()),
        ([0.0, 0.0], 1.0, "unknown", ()),
    ],
)
def test_judging(scores: list[float], none: float, kind: str, rows: tuple[int, ...]) -> None:
    assert judge(np.array(scores, dtype=np.float32), none, LIMITS) == (kind, rows)


def test_probabilities_add_up_to_one() -> None:
    scores, none = probabilities(np.array([800.0, -800.0, 3.0], dtype=np.float32), 5.0)
    assert float(scores.sum()) + none == pytest.approx(1.0)
    assert scores[0] == pytest.approx(1.0)


def test_the_committed_calibrations_are_usable() -> None:
    for calibration in (load_calibration("services"), load_calibration("policies")):
        assert calibration.vector.shape == (len(FEATURES),)
        assert (calibration.vector >= 0).all()
        assert calibration.vector.any()


def test_texts_are_folded_before_they_are_compared() -> None:
    assert normalise("  身份證ＡＢ　") == "身份证ab"
    assert characters("补、卡！") == ["补", "卡", "补 卡"]
    assert syllables("身份证") == syllables("深分正")
    assert syllables("牛奶") == syllables("流来")
