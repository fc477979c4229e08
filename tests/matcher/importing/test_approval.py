"""A draft becomes a policy only when a human has settled everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from base.errors import InputError, StateError
from matcher.importing.approval import approve, load_draft, open_points
from matcher.importing.draft import make_draft, render
from matcher.policy import load_policies

Data = dict[str, Any]
Change = Callable[[Data], None]


@pytest.fixture
def draft_file(tmp_path: Path, notice: str) -> Path:
    path = tmp_path / "drafts" / "notice.yml"
    path.parent.mkdir()
    path.write_text(render(make_draft(notice.encode(), "notice.txt", date(2026, 11, 22))), "utf-8")
    return path


@pytest.fixture
def catalogue(
    tmp_path: Path, policy_data: Callable[..., Data], write_yaml: Callable[[Path, Any], None]
) -> Path:
    folder = tmp_path / "policies"
    write_yaml(folder / "enterprise" / "sme_grant.yml", policy_data())
    return folder


def _complete(data: Data) -> None:
    fields, lists = data["fields"], data["lists"]
    fields["id"]["value"] = "export_insurance"
    fields["origin"]["value"] = "sample"
    fields["summary"]["value"] = "对出口信用保险保费给予补贴。"
    lists["steps"] = [{"value": "网上申报"}]
    lists["queries"] = [{"value": f"出口保险有补贴吗{n}"} for n in range(3)]
    for condition in data["conditions"]:
        if condition["when"] is None:
            condition["when"] = "export_usd_wan > 0"
        condition.pop("check", None)


def _edit(path: Path, *changes: Change) -> Path:
    data = yaml.safe_load(path.read_text("utf-8"))
    for change in changes:
        change(data)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return path


def test_a_draft_reads_back_as_it_was_written(draft_file: Path, notice: str) -> None:
    draft = load_draft(draft_file)
    assert draft == make_draft(notice.encode(), "notice.txt", date(2026, 11, 22))


def test_a_fresh_draft_is_refused_with_what_is_missing(draft_file: Path, catalogue: Path) -> None:
    with pytest.raises(StateError) as caught:
        approve(load_draft(draft_file), catalogue)
    for words in (
        "fields.id",
        "fields.origin",
        "fields.summary",
        "lists.queries",
        "拥有省级以上出口品牌",
    ):
        assert words in caught.value.message
    assert sorted(path.name for path in catalogue.rglob("*.yml")) == ["sme_grant.yml"]


def test_a_completed_draft_joins_the_catalogue(draft_file: Path, catalogue: Path) -> None:
    target = approve(load_draft(_edit(draft_file, _complete)), catalogue)
    assert target == catalogue / "enterprise" / "export_insurance.yml"
    policy = next(p for p in load_policies(catalogue) if p.id == "export_insurance")
    assert [c.when for c in policy.eligibility] == [
        "registered_in_city",
        "export_usd_wan <= 5000",
        "export_usd_wan > 0",
        "NOT has_serious_violation",
    ]
    assert policy.window.closes == date(2026, 12, 15)
    assert policy.materials == ("补贴申请表", "保险单")
    assert policy.body is not None
    assert "sentence" not in target.read_text("utf-8")
    assert {path.suffix for path in target.parent.iterdir()} == {".yml"}


def _set(path: str, value: object) -> Change:
    def change(data: Data) -> None:
        data["fields"][path]["value"] = value

    return change


def _condition(**changes: object) -> Change:
    def change(data: Data) -> None:
        data["conditions"][0].update(changes)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("issuer", " "), "fields.issuer"),
        (_set("audience", "firm"), "fields.audience"),
        (_condition(when=None), "第1条条件还没有写成表达式"),
        (_condition(when="  "), "第1条条件还没有写成表达式"),
        (_condition(check="请核对"), "第1条条件待核对：请核对"),
        (_condition(when="headcout > 3"), "headcout"),
        (_condition(when="headcount IS NULL"), "第1条条件的表达式有误"),
        (lambda data: data["conditions"].clear(), "没有任何条件"),
        (lambda data: data["lists"]["queries"].pop(), "群众可能的问法至少要3条，现在2条"),
    ],
)
def test_one_open_point_is_enough_to_refuse(
    draft_file: Path, catalogue: Path, change: Change, words: str
) -> None:
    draft = load_draft(_edit(draft_file, _complete, change))
    assert len(open_points(draft)) == 1
    with pytest.raises(StateError, match=words):
        approve(draft, catalogue)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("id", "Export-1"), "标识"),
        (_set("level", "village"), "层级"),
        (_set("benefit.amount", "很多"), "金额或比例"),
        (_set("window.closes", "2026-13-01"), "截止申报日期"),
        (lambda data: data.update(excludes=["no_such_policy"]), "互斥"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_left_behind(
    draft_file: Path, catalogue: Path, change: Change, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        approve(load_draft(_edit(draft_file, _complete, change)), catalogue)
    assert words in caught.value.message
    assert [path.name for path in catalogue.rglob("*") if path.is_file()] == ["sme_grant.yml"]


def test_an_id_is_taken_once(draft_file: Path, catalogue: Path) -> None:
    draft = load_draft(_edit(draft_file, _complete, _set("id", "sme_grant")))
    before = (catalogue / "enterprise" / "sme_grant.yml").read_bytes()
    with pytest.raises(StateError, match="sme_grant"):
        approve(draft, catalogue)
    assert (catalogue / "enterprise" / "sme_grant.yml").read_bytes() == before


def test_drafts_are_no_policies(draft_file: Path, catalogue: Path) -> None:
    (catalogue / "drafts").mkdir()
    draft_file.rename(catalogue / "drafts" / "notice.yml")
    assert [policy.id for policy in load_policies(catalogue)] == ["sme_grant"]


@pytest.mark.parametrize(
    "content", ["", "- 1\n", "draft: 2\n", "a: [", "draft: 1\nfields: {}\n", "\0"]
)
def test_what_is_no_draft(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError) as caught:
        load_draft(path)
    assert caught.value.code == "draft_invalid"


def test_a_draft_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    large = tmp_path / "large.yml"
    large.write_text("a" * (1024 * 1024 + 1))
    for path in (tmp_path / "none.yml", large):
        with pytest.raises(InputError):
            load_draft(path)
