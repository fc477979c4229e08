"""The catalogue: loaded once, checked across files, quick the second time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from base.errors import ConfigurationError
from base.settings import Settings, get_settings
from matcher.catalogue import Catalogue
from matcher.profile import Profile
from matcher.ranking import match


def test_items_are_found_by_id(city: Settings) -> None:
    catalogue = Catalogue.load(city)
    item = catalogue.service("id_card_replace")
    assert item is not None
    assert item.name == "居民身份证补领"
    assert catalogue.service("nothing") is None
    policy = catalogue.policy("sme_grant")
    assert policy is not None
    assert policy.audience == "enterprise"
    assert catalogue.policy("nothing") is None
    assert [hall.id for hall in catalogue.halls_for(item, "云东区")] == ["yundong"]
    with pytest.raises(AttributeError):
        catalogue.services = ()  # type: ignore[misc]


def test_an_unknown_hall_is_refused(
    city: Settings,
    tmp_path: Path,
    service_data: Callable[..., dict[str, Any]],
    write_yaml: Callable[[Path, Any], None],
) -> None:
    directory = tmp_path / "policies"
    shutil.copytree(city.policies_dir, directory)
    place = {"halls": ["nowhere"], "text": "窗口", "hours": "9:00"}
    write_yaml(directory / "services" / "passport.yml", service_data("passport", place=place))
    with pytest.raises(ConfigurationError, match=r"passport\.yml: place\.halls"):
        Catalogue.load(Settings(policies_dir=directory, model_dir=tmp_path))


def test_the_bundled_city_loads_and_answers() -> None:
    settings = get_settings()
    catalogue = Catalogue.load(settings)
    kept = {path: path.stat().st_mtime_ns for path in settings.model_dir.glob("embeddings/*.npz")}
    assert len(kept) >= 2
    again = Catalogue.load(settings)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # nothing encoded again
    text = "身份证丢了怎么补办"
    assert again.service_finder.find(text) == catalogue.service_finder.find(text)
    assert [c.item.id for c in again.service_finder.find(text).candidates] == ["id_card_replace"]
    assert {policy.audience for policy in catalogue.policies} == {"enterprise", "resident"}
    for item in catalogue.services:
        assert catalogue.halls_for(item) or not item.place.halls


def test_a_question_about_one_policy_hides_nothing_one_is_entitled_to() -> None:
    real = Catalogue.load(get_settings())
    profile = Profile("resident", "r", {"age": 82, "hukou": "local"})
    day = date(2026, 11, 21)
    asked = match(real, profile, "我妈82岁了，本市户口，有什么补贴？", today=day)
    every = match(real, profile, today=day)
    sure = {found.policy.id for found in every if found.evaluation.verdict == "eligible"}
    assert len(sure) > 1
    assert sure <= {found.policy.id for found in asked}
    titled = match(real, profile, "高龄津贴怎么领", today=day)
    assert [found.policy.id for found in titled] == ["elderly_allowance"]


def test_changed_files_are_followed_and_the_old_catalogue_stays(
    city: Settings,
    tmp_path: Path,
    policy_data: Callable[..., dict[str, Any]],
    write_yaml: Callable[[Path, Any], None],
) -> None:
    directory = tmp_path / "policies"
    shutil.copytree(city.policies_dir, directory)
    settings = Settings(policies_dir=directory, model_dir=city.model_dir)
    old = Catalogue.load(settings)
    same = old.refreshed(settings)
    assert same.policy_finder is old.policy_finder
    assert same.service_finder is old.service_finder
    solar = policy_data(
        "solar", title="光伏补助", theme="能源", queries=["屋顶装光伏", "光伏给钱吗", "太阳能补助"]
    )
    write_yaml(directory / "enterprise" / "solar.yml", solar)
    (directory / "resident" / "elderly_allowance.yml").unlink()
    new = old.refreshed(settings)
    assert new.service_finder is old.service_finder
    assert new.policy_finder.named("光伏补助怎么申请") == {"solar"}
    assert new.policy("elderly_allowance") is None
    assert set(new.policy_finder.items) == {policy.id for policy in new.policies}
    assert old.policy_finder.named("光伏补助怎么申请") == frozenset()
    assert old.policy_finder.named("高龄津贴怎么领") == {"elderly_allowance"}
    write_yaml(directory / "enterprise" / "solar.yml", solar | {"eligibility": []})
    with pytest.raises(ConfigurationError, match=r"solar\.yml: eligibility"):
        new.refreshed(settings)
