"""Policies are checked at load; a fault names the file and the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from base.errors import ConfigurationError
from base.settings import ROOT
from matcher.policy import Window, load_policies

Make = Callable[..., dict[str, Any]]
Write = Callable[[Path, Any], None]


def test_a_policy_is_read_with_its_predicates(
    tmp_path: Path, policy_data: Make, write_yaml: Write
) -> None:
    write_yaml(tmp_path / "enterprise" / "sme_grant.yml", policy_data())
    (policy,) = load_policies(tmp_path)
    assert policy.document.date == date(2026, 1, 1)
    assert [predicate.sql for predicate in policy.predicates] == [
        condition.when for condition in policy.eligibility
    ]
    assert policy.predicates[0].evaluate({"registered_years": 2}) is True
    with pytest.raises(ValueError, match="frozen"):
        policy.title = "别的"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"eligibility": [{"text": "甲", "when": "staff > 1"}]}, "eligibility.0.when"),
        ({"eligibility": [{"text": "甲", "when": "headcount IS NULL"}]}, "eligibility.0.when"),
        ({"eligibility": [{"text": "甲", "when": "age > 1"}]}, "eligibility.0.when"),
        ({"eligibility": []}, "eligibility"),
        ({"title": " "}, "title"),
        ({"audience": "everyone"}, "audience"),
        ({"surprise": 1}, "surprise"),
        ({"benefit": {"kind": "gift", "text": "好处"}}, "benefit.kind"),
        ({"benefit": {"kind": "tax", "text": "好处", "amount": -1}}, "benefit.amount"),
        ({"window": {"opens": "2026-02-01", "closes": "2026-01-01"}}, "window"),
        ({"window": {"opens": 20260201}}, "window.opens"),
        ({"id": "Other Name"}, "id"),
        ({"id": "other"}, "id"),
        ({"excludes": ["nowhere"]}, "excludes"),
        ({"excludes": ["sme_grant"]}, "excludes"),
        ({"audience": "resident", "eligibility": [{"text": "甲", "when": "age > 1"}]}, "audience"),
    ],
)
def test_a_fault_names_file_and_field(
    tmp_path: Path,
    policy_data: Make,
    write_yaml: Write,
    changes: dict[str, Any],
    field: str,
) -> None:
    write_yaml(tmp_path / "enterprise" / "sme_grant.yml", policy_data(**changes))
    with pytest.raises(ConfigurationError) as caught:
        load_policies(tmp_path)
    assert "sme_grant.yml" in caught.value.detail
    assert f"{field}:" in caught.value.detail


def test_an_id_may_come_only_once(tmp_path: Path, policy_data: Make, write_yaml: Write) -> None:
    write_yaml(tmp_path / "enterprise" / "sme_grant.yml", policy_data())
    resident = policy_data(audience="resident", eligibility=[{"text": "甲", "when": "age > 1"}])
    write_yaml(tmp_path / "resident" / "sme_grant.yml", resident)
    with pytest.raises(ConfigurationError, match="is taken"):
        load_policies(tmp_path)


@pytest.mark.parametrize("content", ["title: [", "a: 1\na: 2\n", "- 1\n", "", "\xff"])
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "enterprise" / "broken.yml"
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"broken\.yml"):
        load_policies(tmp_path)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no policies"):
        load_policies(tmp_path)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 2, 28), "upcoming"),
        (date(2026, 3, 1), "open"),
        (date(2026, 3, 31), "open"),
        (date(2026, 4, 1), "closed"),
    ],
)
def test_both_days_of_a_window_are_inside(today: date, state: str) -> None:
    window = Window(opens=date(2026, 3, 1), closes=date(2026, 3, 31))
    assert window.state(today) == state


def test_a_window_without_days_is_open() -> None:
    assert Window().state(date(2000, 1, 1)) == "open"


def test_the_bundled_policies_load() -> None:
    policies = load_policies(ROOT / "policies")
    assert {policy.audience for policy in policies} == {"enterprise", "resident"}
    for policy in policies:
        if policy.origin == "real":
            assert policy.document.title


def test_a_benefit_is_worked_out_by_case(
    tmp_path: Path, policy_data: Make, write_yaml: Write
) -> None:
    steps = [
        {"when": "headcount >= 100", "formula": "headcount * 2"},
        {"when": "headcount < 100", "formula": "5"},
    ]
    benefit = {"kind": "subsidy", "text": "按人数", "unit": "万元", "tiers": steps}
    write_yaml(tmp_path / "enterprise" / "sme_grant.yml", policy_data(benefit=benefit))
    (policy,) = load_policies(tmp_path)
    first, second = policy.amounts
    assert first[0] is not None
    assert first[0].evaluate({"headcount": 120}) is True
    assert first[1].evaluate({"headcount": 120}) == 240
    assert first[1].evaluate({}) is None
    assert second[1].evaluate({}) == 5


@pytest.mark.parametrize(
    ("worth", "field"),
    [
        ({"formula": "staff * 2"}, "benefit.formula"),
        ({"formula": "headcount > 2"}, "benefit.formula"),
        ({"tiers": [{"when": "headcount", "formula": "1"}]}, "benefit.tiers.0"),
        ({"tiers": [{"when": "headcount > 1", "formula": "district"}]}, "benefit.tiers.0"),
        ({"formula": "1", "tiers": [{"when": "headcount > 1", "formula": "1"}]}, "benefit"),
    ],
)
def test_a_wrong_amount_is_named(
    tmp_path: Path, policy_data: Make, write_yaml: Write, worth: dict[str, Any], field: str
) -> None:
    benefit = {"kind": "subsidy", "text": "好处", **worth}
    write_yaml(tmp_path / "enterprise" / "sme_grant.yml", policy_data(benefit=benefit))
    with pytest.raises(ConfigurationError, match=field):
        load_policies(tmp_path)
