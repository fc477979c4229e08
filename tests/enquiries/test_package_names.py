"""The editors' check that a package has one name for one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from enquiries.editing import core, package_names
from matcher.guides import Guides
from matcher.service import Material, ServiceItem

GUIDES = Guides.load(Path(__file__).resolve().parents[2] / "policies")


def with_materials(item_id: str, *names: str, results: tuple[str, ...] | None = None) -> Guides:
    """The city's guides, one item asking for these things as well."""

    def changed(item: ServiceItem) -> ServiceItem:
        if item.id != item_id:
            return item
        added = tuple(Material(name=name, required=True) for name in names)
        given = item.results if results is None else results
        return item.model_copy(update={"materials": (*item.materials, *added), "results": given})

    return Guides(tuple(map(changed, GUIDES.services)), GUIDES.packages, GUIDES.halls)


def test_the_city_itself_has_one_name_for_one_thing() -> None:
    assert list(package_names(GUIDES)) == []


@pytest.mark.parametrize(
    ("name", "other"),
    [("父母的居民身份证", "居民身份证"), ("监护关系材料", "监护关系证明")],
)
def test_two_names_for_one_thing_are_an_error(name: str, other: str) -> None:
    remarks = list(package_names(with_materials("birth_registration", name)))
    assert [remark.level for remark in remarks] == ["error"]
    assert remarks[0].matter == "newborn"
    assert name in remarks[0].text
    assert other in remarks[0].text


def test_what_an_earlier_step_gives_under_another_name_is_an_error() -> None:
    guides = with_materials("birth_registration", "新生儿登记信息")
    given = tuple(
        item.model_copy(update={"results": ("新生儿登记凭证",)})
        if item.id == "birth_certificate"
        else item
        for item in guides.services
    )
    remarks = list(package_names(Guides(given, guides.packages, guides.halls)))
    assert any("就是前面给的“新生儿登记凭证”" in remark.text for remark in remarks)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("监护人的居民身份证", "监护人身份证", True),
        ("亲属关系证明", "亲属关系材料", True),
        ("夫妻双方的居民身份证", "居民身份证", True),
        ("本人银行卡", "银行卡", True),
        ("逝者的居民身份证", "居民身份证", False),
        ("代办人身份证", "居民身份证", False),
        ("居民户口簿", "户主的居民户口簿", False),
        ("结婚证", "离婚证", False),
        ("证明", "材料", False),
    ],
)
def test_only_whose_it_is_tells_things_apart(one: str, other: str, same: bool) -> None:
    assert (core(one) == core(other)) == same
