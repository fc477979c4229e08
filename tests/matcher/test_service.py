"""Service items and halls are checked at load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from base.errors import ConfigurationError
from base.settings import ROOT
from matcher.service import load_halls, load_services

Make = Callable[..., dict[str, Any]]
Write = Callable[[Path, Any], None]


def test_items_are_ordered_by_id(tmp_path: Path, service_data: Make, write_yaml: Write) -> None:
    for name in ("passport", "company_setup"):
        write_yaml(tmp_path / f"{name}.yml", service_data(name))
    items = load_services(tmp_path)
    assert [item.id for item in items] == ["company_setup", "passport"]
    assert items[0].fee.amount == 40
    assert items[0].materials[0].required is True


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"materials": [{"name": "户口簿"}]}, "materials.0.required"),
        ({"fee": {"amount": -1, "text": "负数"}}, "fee.amount"),
        ({"checked": "someday"}, "checked"),
        ({"extra": "x"}, "extra"),
        ({"id": "other"}, "id"),
        ({"questions": ["只有一句"]}, "questions"),
    ],
)
def test_a_fault_names_file_and_field(
    tmp_path: Path,
    service_data: Make,
    write_yaml: Write,
    changes: dict[str, Any],
    field: str,
) -> None:
    write_yaml(tmp_path / "passport.yml", service_data("passport", **changes))
    with pytest.raises(ConfigurationError) as caught:
        load_services(tmp_path)
    assert "passport.yml" in caught.value.detail
    assert f"{field}:" in caught.value.detail


def test_no_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no service items"):
        load_services(tmp_path)


def test_halls_may_be_a_list_or_under_a_key(
    tmp_path: Path, hall_data: dict[str, Any], write_yaml: Write
) -> None:
    write_yaml(tmp_path / "list.yml", [hall_data])
    write_yaml(tmp_path / "key.yml", {"halls": [hall_data]})
    assert load_halls(tmp_path / "list.yml") == load_halls(tmp_path / "key.yml")


@pytest.mark.parametrize("changes", [{"lat": 130}, {"phone": "无"}, {"domains": []}])
def test_a_wrong_hall_is_refused(
    tmp_path: Path, hall_data: dict[str, Any], write_yaml: Write, changes: dict[str, Any]
) -> None:
    write_yaml(tmp_path / "halls.yml", [hall_data | changes])
    with pytest.raises(ConfigurationError, match=f"halls.0.{next(iter(changes))}"):
        load_halls(tmp_path / "halls.yml")


def test_a_hall_may_come_only_once(
    tmp_path: Path, hall_data: dict[str, Any], write_yaml: Write
) -> None:
    write_yaml(tmp_path / "halls.yml", [hall_data, hall_data])
    with pytest.raises(ConfigurationError, match="is taken"):
        load_halls(tmp_path / "halls.yml")


def test_the_bundled_items_load_and_name_real_halls() -> None:
    halls = {hall.id for hall in load_halls(ROOT / "policies" / "halls.yml")}
    items = load_services(ROOT / "policies" / "services")
    assert len({item.name for item in items}) == len(items)
    for item in items:
        assert set(item.place.halls) <= halls, item.id
