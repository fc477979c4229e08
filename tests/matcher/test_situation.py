"""An item in one citizen's situation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError
from matcher.service import ServiceItem, load_services
from matcher.situation import ASPECTS, chosen_options, heard, open_variant, situated

Make = Callable[..., dict[str, Any]]

WHO = {
    "id": "applicant",
    "ask": "是您本人去办，还是请人代办？",
    "options": [
        {"id": "self", "label": "本人办", "words": ["本人", "我自己"]},
        {
            "id": "agent",
            "label": "请人代办",
            "words": ["代办", "不是本人", "帮我妈"],
            "materials": [{"name": "代办人身份证", "required": True}],
            "without": ["户口簿"],
            "note": "代办只能交材料，领证要本人来。",
        },
    ],
}
AGE = {
    "id": "age",
    "ask": "办证的人满16周岁了吗？",
    "options": [
        {"id": "adult", "label": "满16周岁"},
        {"id": "child", "label": "未满16周岁", "words": ["小孩", "孩子"],
         "fee": {"amount": 20, "text": "首次申领20元。"}},
    ],
}  # fmt: skip


@pytest.fixture
def item(service_data: Make) -> ServiceItem:
    return ServiceItem.model_validate(service_data(variants=[WHO, AGE]))


def test_an_option_adds_and_takes_away(item: ServiceItem) -> None:
    names = [material.name for material in situated(item, {"applicant": "agent"}).materials]
    assert names == ["代办人身份证"]
    assert situated(item, {"age": "child"}).fee.amount == 20
    assert situated(item, {}) is item
    assert situated(item, {"applicant": "nobody", "other": "x"}) is item


def test_only_a_variant_that_changes_the_answer_is_asked(item: ServiceItem) -> None:
    asked = {aspect: open_variant(item, aspect, {}) for aspect in ASPECTS}
    ids = {aspect: variant.id if variant else None for aspect, variant in asked.items()}
    assert ids == {
        "materials": "applicant", "place": None, "fee": "age", "duration": None,
        "appointment": None, "all": "applicant",
    }  # fmt: skip
    assert open_variant(item, "materials", {"applicant": "self"}) is None
    second = open_variant(item, "all", {"applicant": "self"})
    assert second is not None and second.id == "age"


def test_a_refusal_changes_every_answer(service_data: Make) -> None:
    refused = {**WHO, "options": [WHO["options"][0], {"id": "agent", "label": "代办",
                                                      "refused": "这件事不能代办。"}]}  # fmt: skip
    item = ServiceItem.model_validate(service_data(variants=[refused]))
    assert all(open_variant(item, aspect, {}) for aspect in ASPECTS)


@pytest.mark.parametrize(
    ("text", "situation"),
    [
        ("我想帮我妈办一下", {"applicant": "agent"}),
        ("不是本人能去吗", {"applicant": "agent"}),  # longer than 本人
        ("給小孩辦，代辦行不行", {"applicant": "agent", "age": "child"}),  # traditional script
        ("本人办", {"applicant": "self"}),
        ("多少钱", {}),
    ],
)
def test_a_situation_is_heard(item: ServiceItem, text: str, situation: dict[str, str]) -> None:
    assert heard(item, text) == situation


def test_taking_away_what_is_not_there_is_refused(
    tmp_path: Path, service_data: Make, write_yaml: Callable[[Path, Any], None]
) -> None:
    wrong = {**WHO, "options": [WHO["options"][0], {**WHO["options"][1], "without": ["护照"]}]}
    write_yaml(tmp_path / "id_card_replace.yml", service_data(variants=[wrong]))
    with pytest.raises(ConfigurationError, match=r"applicant\.agent: without: .*护照"):
        load_services(tmp_path)


@given(
    st.dictionaries(
        st.sampled_from(["applicant", "age"]), st.sampled_from(["self", "agent", "adult", "child"])
    )
)
def test_materials_are_never_twice_and_questions_end(situation: dict[str, str]) -> None:
    from tests.matcher.conftest import _service

    item = ServiceItem.model_validate(_service(variants=[WHO, AGE]))
    names = [material.name for material in situated(item, situation).materials]
    assert len(set(names)) == len(names)
    while (variant := open_variant(item, "all", situation)) is not None:
        situation = {**situation, variant.id: variant.options[0].id}
    assert len(chosen_options(item, situation)) <= len(item.variants)
