"""Another district's policies, closed ones and the other audience's: left out, or said."""

from __future__ import annotations

import shutil
from datetime import date
from typing import Any

import pytest
import yaml

from base.settings import Settings
from matcher.catalogue import Catalogue
from matcher.profile import Profile, parse_profile
from matcher.ranking import Match, match

TODAY = date(2026, 10, 15)
LIFT = "我们楼想加装电梯，有没有补助"
DISTRICTS = (("lift_jiangnan", "江南区", {}), ("lift_yunxi", "云西区", {"closes": "2026-06-30"}))


@pytest.fixture(scope="module")
def catalogue(city: Settings, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The small city, and a policy for lifts in two districts, one of them over."""
    folder = tmp_path_factory.mktemp("places") / "policies"
    shutil.copytree(city.policies_dir, folder)
    pattern = (folder / "resident" / "elderly_allowance.yml").read_text(encoding="utf-8")
    for name, district, window in DISTRICTS:
        changes = {
            "id": name,
            "title": f"{district}老楼加装电梯补助",
            "level": "district",
            "issuer": f"{district}住房和城乡建设局",
            "theme": "老旧小区改造",
            "summary": f"{district}没有电梯的老住宅加装电梯给予补助。",
            "benefit": {"kind": "subsidy", "text": "每台10万元", "amount": 100000, "unit": "元"},
            "eligibility": [
                {"text": f"住在{district}", "when": f"district = '{district}'"},
                {"text": "有产权", "when": "owns_home"},
            ],
            "window": window,
            "queries": ["老楼装电梯给补钱吗", "加装电梯有没有补助", "楼里想装电梯政府补多少"],
        }
        content = yaml.safe_dump(yaml.safe_load(pattern) | changes, allow_unicode=True)
        (folder / "resident" / f"{name}.yml").write_text(content, encoding="utf-8")
    return Catalogue.load(Settings(policies_dir=folder, model_dir=city.model_dir))


def resident(**attributes: Any) -> Profile:
    return parse_profile({"kind": "resident", "id": "r1", "attributes": attributes})


def ids(matches: tuple[Match, ...]) -> list[str]:
    return [found.policy.id for found in matches]


def test_another_districts_policy_is_not_shown(catalogue: Catalogue) -> None:
    at_home = match(catalogue, resident(district="江南区"), LIFT, TODAY)
    assert ids(at_home) == ["lift_jiangnan"]
    elsewhere = match(catalogue, resident(district="云东区"), LIFT, TODAY)
    assert not [name for name in ids(elsewhere) if name.startswith("lift_")]
    assert ids(match(catalogue, resident(), LIFT, TODAY)) == ["lift_jiangnan"]  # not known: asked


def test_another_districts_policy_called_by_its_title_is_explained(catalogue: Catalogue) -> None:
    query = "江南区老楼加装电梯补助我能申请吗"
    (found,) = match(catalogue, resident(district="云东区"), query, TODAY)
    assert (found.policy.id, found.evaluation.verdict) == ("lift_jiangnan", "ineligible")
    assert found.reasons[0].startswith("✗ 住在江南区")


def test_what_is_over_is_said_where_nothing_else_is_meant(catalogue: Catalogue) -> None:
    (found,) = match(catalogue, resident(district="云西区"), LIFT, TODAY)
    assert (found.policy.id, found.window) == ("lift_yunxi", "closed")
    assert "! 申报已于2026年6月30日截止" in found.reasons
    in_time = match(catalogue, resident(district="云西区"), LIFT, date(2026, 5, 1))
    assert ids(in_time) == ["lift_yunxi"]
    assert not any(reason.startswith("!") for reason in in_time[0].reasons)


def test_the_other_audience_is_not_shown(catalogue: Catalogue) -> None:
    enterprise = parse_profile({"kind": "enterprise", "id": "e1", "attributes": {}})
    assert not {"lift_jiangnan", "lift_yunxi"} & set(ids(match(catalogue, enterprise, LIFT, TODAY)))
    assert "training_grant" not in ids(match(catalogue, resident(), "给员工培训有补贴吗", TODAY))
