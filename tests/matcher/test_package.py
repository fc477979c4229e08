"""Packages: the order of their steps and the one list of materials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError
from enquiries.editing import core
from matcher.gathering import gather
from matcher.guides import Guides
from matcher.package import (
    Package,
    chosen_steps,
    load_packages,
    open_question,
    predecessors,
)
from matcher.service import ServiceItem
from matcher.situation import situated

Make = Callable[..., dict[str, Any]]
Write = Callable[[Path, Any], None]

PACKAGE = {
    "id": "newborn",
    "name": "新生儿出生一件事",
    "aliases": ["生娃一件事"],
    "questions": ["孩子出生要办哪些事", "刚生了娃要跑哪些部门", "新生儿证件一起办"],
    "answer": "先办出生医学证明，再上户口，材料一次备齐。",
    "summary": "孩子出生后要办的几件事可以一起办。",
    "steps": [
        {"service": "birth_certificate"},
        {"service": "hukou", "after": ["birth_certificate"]},
    ],
    "department": "云州市卫生健康委员会",
    "phone": "12345",
    "basis": [{"title": "关于加快推进“高效办成一件事”的指导意见"}],
    "checked": "2026-10-15",
    "review_by": "2027-10-15",
}  # fmt: skip


@pytest.fixture
def items(service_data: Make) -> tuple[ServiceItem, ...]:
    certificate = service_data(
        "birth_certificate",
        materials=[
            {"name": "居民身份证", "required": True},
            {"name": "结婚证", "required": False, "note": "有的话带上"},
        ],
        results=["出生医学证明"],
    )
    hukou = service_data(
        "hukou",
        materials=[
            {"name": "出生医学证明", "required": True},
            {"name": "居民身份证", "required": True},
            {"name": "结婚证", "required": True, "note": "随父落户要看"},
        ],
    )
    return tuple(ServiceItem.model_validate(data) for data in (certificate, hukou))


def test_materials_are_merged_and_results_of_earlier_steps_left_out(
    items: tuple[ServiceItem, ...],
) -> None:
    gathered = gather(items)
    assert [(thing.name, thing.required) for thing in gathered] == [
        ("居民身份证", True),
        ("结婚证", True),
    ]
    assert gathered[0].notes == ()
    assert gathered[1].notes == tuple(
        f"{item.name}：{note}"
        for item, note in zip(items, ("有的话带上", "随父落户要看"), strict=True)
    )


def test_a_form_is_named_once_and_filled_in_for_each_item(service_data: Make) -> None:
    form = [{"name": "申请表", "note": "窗口领取", "required": True}]
    both = tuple(
        ServiceItem.model_validate(service_data(name, name=name.upper(), materials=form))
        for name in ("a_one", "b_two")
    )
    (thing,) = gather(both)
    assert thing.note == "每件事各填一张：A_ONE、B_TWO。"
    assert gather(both[:1])[0].note == "窗口领取"


def test_a_package_is_loaded_with_its_items(
    tmp_path: Path, items: tuple[ServiceItem, ...], write_yaml: Write
) -> None:
    write_yaml(tmp_path / "newborn.yml", PACKAGE)
    (package,) = load_packages(tmp_path, items)
    assert [step.service for step in package.steps] == ["birth_certificate", "hukou"]


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([{"service": "hukou", "after": ["birth_certificate"]}, {"service": "birth_certificate"}],
         "hukou comes before birth_certificate"),
        ([{"service": "hukou"}, {"service": "hukou"}], "hukou comes twice"),
        ([{"service": "hukou"}, {"service": "passport"}], "no service item passport"),
        ([{"service": "hukou", "unless": ["birth_certificate"]},
          {"service": "birth_certificate"}], "hukou comes before birth_certificate"),
        ([{"service": "hukou", "situation": {"who": "self"}},
          {"service": "birth_certificate"}], "no option who:self"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_refused(
    tmp_path: Path, items: tuple[ServiceItem, ...], write_yaml: Write, steps: Any, fault: str
) -> None:
    write_yaml(tmp_path / "newborn.yml", PACKAGE | {"steps": steps})
    with pytest.raises(ConfigurationError, match=fault):
        load_packages(tmp_path, items)


SHOP = PACKAGE | {
    "steps": [
        {"service": "individual", "when": "想开个体户的"},
        {"service": "company", "when": "想开公司的", "unless": ["individual"]},
        {"service": "seal", "after": ["company"], "when": "要刻章的"},
        {"service": "bank", "after": ["individual", "seal"]},
    ]
}


def names(steps: Any) -> list[str]:
    return [step.service for step in steps]


def test_only_open_questions_are_asked_and_one_choice_replaces_another() -> None:
    package = Package.model_validate(SHOP)
    asked = open_question(package, {})
    assert asked is not None
    assert asked.service == "individual"
    asked = open_question(package, {"individual": True})
    assert asked is not None
    assert asked.service == "seal"  # no word of a company
    asked = open_question(package, {"individual": False})
    assert asked is not None
    assert asked.service == "company"
    answers = {"individual": True, "company": True, "seal": False}
    assert open_question(package, answers) is None
    assert names(chosen_steps(package, answers)) == ["individual", "bank"]


def test_a_step_left_out_does_not_block_and_hands_its_order_on() -> None:
    package = Package.model_validate(SHOP)
    chosen = chosen_steps(package, {"individual": False, "company": True, "seal": False})
    assert names(chosen) == ["company", "bank"]
    assert predecessors(package, chosen) == {"company": frozenset(), "bank": frozenset({"company"})}
    alone = chosen_steps(package, {})
    assert predecessors(package, alone) == {"bank": frozenset()}


CITY = Path(__file__).resolve().parents[2] / "policies"
GUIDES = Guides.load(CITY)


@given(st.data())
def test_nothing_is_asked_for_twice_whatever_steps_are_needed(data: st.DataObject) -> None:
    package = data.draw(st.sampled_from(GUIDES.packages))
    answers = {step.service: data.draw(st.booleans()) for step in package.steps if step.when}
    chosen = chosen_steps(package, answers)
    items = []
    for step in chosen:
        item = GUIDES.service(step.service)
        assert item is not None
        told = {
            variant.id: data.draw(st.sampled_from([option.id for option in variant.options]))
            for variant in item.variants
            if data.draw(st.booleans())
        }
        items.append(situated(item, {**step.situation, **told}))
    gathered = gather(items)
    found = [thing.name for thing in gathered]
    assert len(set(found)) == len(found)
    required = {m.name for item in items for m in item.materials if m.required}
    first_given: dict[str, int] = {}
    for place, item in enumerate(items):
        for result in item.results:
            first_given.setdefault(result, place)
    for name in required - set(found):
        first = min(i for i, item in enumerate(items) if name in {m.name for m in item.materials})
        assert first_given[name] < first
    order = predecessors(package, chosen)
    done: set[str] = set()
    for step in chosen:
        assert order[step.service] <= done
        done.add(step.service)
    assert open_question(package, answers) is None


def test_no_package_names_one_thing_in_two_ways() -> None:
    for package in GUIDES.packages:
        names_of: dict[str, set[str]] = {}
        for step in package.steps:
            item = GUIDES.service(step.service)
            assert item is not None
            for material in situated(item, step.situation).materials:
                names_of.setdefault(core(material.name), set()).add(material.name)
        twice = [sorted(found) for found in names_of.values() if len(found) > 1]
        assert not twice, f"{package.id}: {twice}"
