from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.stack import ROOT

PROFILES = sorted((ROOT / "tests" / "matcher" / "profiles").glob("*.json"))


def test_the_policy_files_of_the_city_are_right(command: Command) -> None:
    done = command("policies", "check")
    assert done.returncode == 0, done.stderr
    files = {
        name: len([*(ROOT / "policies" / name).glob("*.yml")])
        for name in ("enterprise", "resident", "services")
    }
    total = files["enterprise"] + files["resident"]
    counted = f"{files['enterprise']} enterprise, {files['resident']} resident"
    assert f"{total} policies ({counted}), {files['services']} services" in done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("enterprise/tech_sme.yml", "when:", "wann:", "eligibility"),
        ("resident/elderly_allowance.yml", "age >= 80", "agee >= 80", "agee"),
        ("resident/elderly_allowance.yml", "audience: resident", "audience: enterprise", ""),
        ("services/passport.yml", "fee:", "fees:", "fee"),
        ("services/passport.yml", "id: passport", "id: pass", ""),
        ("halls.yml", "lat:", "latt:", "lat"),
        ("resident/elderly_allowance.yml", "id:", "id: [", ""),
    ],
)
def test_a_wrong_file_is_named(
    command: Command, tmp_path: Path, file: str, old: str, new: str, named: str
) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    done = command("policies", "check", str(tmp_path / "policies"))
    assert done.returncode == 2
    assert Path(file).name in done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_what_only_one_of_two_policies_excludes_is_named(command: Command, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / "resident" / "rent_deduction.yml"
    text = path.read_text("utf-8")
    assert "excludes:\n- mortgage_deduction\n" in text
    path.write_text(text.replace("excludes:\n- mortgage_deduction\n", "excludes: []\n"), "utf-8")
    done = command("policies", "check", str(tmp_path / "policies"))
    assert done.returncode == 0
    assert "note: mortgage_deduction excludes rent_deduction" in done.stderr
    assert "note:" not in command("policies", "check").stderr


def test_an_empty_folder_is_no_catalogue(command: Command, tmp_path: Path) -> None:
    done = command("policies", "check", str(tmp_path))
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr


def matched(command: Command, path: Path, *more: str) -> dict[str, Any]:
    done = command("match", "--profile", str(path), "--json", *more)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_match_explains_every_condition(command: Command, path: Path) -> None:
    profile = json.loads(path.read_text("utf-8"))
    report = matched(command, path)
    assert (report["profile"], report["kind"]) == (profile["id"], profile["kind"])
    assert report["matches"]
    order = ["eligible", "possible", "ineligible"]
    verdicts = [found["verdict"] for found in report["matches"]]
    assert set(verdicts) <= set(order)
    assert "eligible" in verdicts
    for found in report["matches"]:
        outcomes = {condition["outcome"] for condition in found["conditions"]}
        expected = (
            "ineligible" if "false" in outcomes else "possible" if "unknown" in outcomes
            else "eligible"
        )  # fmt: skip
        assert found["verdict"] == expected, found["policy"]
        assert bool(found["missing"]) == (found["verdict"] == "possible")
        for condition in found["conditions"]:
            assert condition["text"]
            assert condition["when"]
            assert bool(condition["missing"]) == (condition["outcome"] == "unknown")


def test_a_grandmother_may_have_the_allowance(command: Command) -> None:
    report = matched(command, PROFILES[1], "--query", "老人有什么补贴")
    assert report["profile"] == "grandmother"
    verdicts = {found["policy"]: found["verdict"] for found in report["matches"]}
    assert verdicts["elderly_allowance"] == "eligible"


def test_the_table_shows_marks(command: Command) -> None:
    done = command("match", "--profile", str(PROFILES[1]))
    assert done.returncode == 0
    assert "符合  " in done.stdout
    assert "    ✓ " in done.stdout


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"kind": "cat", "id": "x", "attributes": {}}',
             '{"kind": "resident", "id": "x", "attributes": {"age": "old"}}'],
)  # fmt: skip
def test_a_wrong_profile_is_refused(command: Command, tmp_path: Path, text: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text, "utf-8")
    done = command("match", "--profile", str(path), "--json")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
