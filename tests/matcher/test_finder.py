"""Finding service items and policies by citizens' words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.settings import Settings, get_settings
from matcher.catalogue import Catalogue
from matcher.elsewhere import Elsewhere
from matcher.finder import ServiceFinder, probabilities
from matcher.hybrid import FEATURES, Calibration, judge, load_calibration
from matcher.lexical import characters, normalise, syllables

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
