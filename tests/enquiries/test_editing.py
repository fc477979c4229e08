"""The editors' check finds what misleads citizens, and only that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from base.encoder import get_encoder
from base.settings import get_settings
from enquiries.editing import Remark, review
from matcher.catalogue import Catalogue
from matcher.finder import ServiceFinder
from matcher.policy import Policy
from matcher.policy_finder import PolicyFinder
from matcher.service import Hall, ServiceItem
from tests.matcher.conftest import HALL, _policy, _service

POLICY = Policy.model_validate(_policy())
BOOKING = {"minutes": 30, "windows": 2, "lead_minutes": 60}
TODAY = date(2026, 11, 22)
Check = Callable[..., list[Remark]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Review a catalogue of one sound item, changed as told, and of further ones."""
    encoder = get_encoder(get_settings().embedding_model)

    def run(*more: dict[str, Any], **changes: Any) -> list[Remark]:
        items = tuple(
            ServiceItem.model_validate(data) for data in (_service(domain="公安", **changes), *more)
        )
        catalogue = Catalogue(
            services=items,
            packages=(),
            elsewhere=(),
            halls=(Hall.model_validate(HALL | {"booking": BOOKING}),),
            policies=(),
            service_finder=ServiceFinder(items, encoder, tmp_path),
            policy_finder=PolicyFinder((POLICY,), encoder, tmp_path),
        )
        return list(review(catalogue, TODAY))

    return run


def test_a_sound_item_is_left_alone(check: Check) -> None:
    assert check() == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"checked": "2025-01-02", "review_by": "2026-11-01"}, "review_by", "已过复核日期21天"),
        ({"checked": "2026-12-01"}, "checked", "在将来"),
        ({"fee": {"amount": 20, "text": "工本费40元"}}, "fee", "文字里没有这个数"),
        ({"fee": {"amount": 0, "text": "工本费40元"}}, "fee", "文字却说要收钱"),
        ({"answer": "带户口簿去补办，工本费60元。"}, "answer", "说60元"),
        ({"appointment": {"required": True, "bookable": True, "text": "无需预约"}},
         "appointment", "不用预约"),
        ({"domain": "税务"}, "place.halls", "没有 税务 的窗口"),
        ({"basis": [{"title": "中华人民共和国居民身份证法"}]}, "basis", "没有写到条款"),
    ],
)  # fmt: skip
def test_a_fault_is_found(check: Check, changes: dict[str, Any], field: str, words: str) -> None:
    domain = changes.pop("domain", None)
    remarks = check(**changes) if domain is None else check(_service("other", domain=domain))
    assert any(r.field == field and words in r.text for r in remarks), remarks


def test_a_name_of_two_items_is_a_contradiction(check: Check) -> None:
    other = _service("passport", name="护照申领", aliases=["补身份证"], domain="公安")
    shared = [r for r in check(other) if "也是" in r.text]
    assert [(r.matter, r.level) for r in shared] == [("id_card_replace", "error")]


def test_a_benefit_is_no_fee(check: Check) -> None:
    assert check(answer="带户口簿申请，每月领300元，20个工作日内审完。") == []


def test_two_names_for_one_thing_are_pointed_out(check: Check) -> None:
    other = _service(
        "passport", name="护照申领", aliases=["办护照"], domain="公安",
        questions=["护照怎么办", "办护照要什么", "出国护照去哪办"],
        materials=[{"name": "户口簿原件复印件材料", "required": True},
                   {"name": "户口簿原件复印件材料一", "required": True}],
    )  # fmt: skip
    assert any("像是同一样东西" in r.text for r in check(other))


def test_errors_come_first(check: Check) -> None:
    remarks = check(
        fee={"amount": 20, "text": "工本费40元"}, basis=[{"title": "中华人民共和国居民身份证法"}]
    )
    assert [r.level for r in remarks] == sorted(r.level for r in remarks)
    assert replace(remarks[0], text="") == Remark("error", "id_card_replace", "fee", "")
