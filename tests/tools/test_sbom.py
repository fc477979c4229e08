"""Bills of materials of both runtimes as they are installed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator

from tools import sbom

RUNTIMES = pytest.mark.parametrize("name", list(sbom.RUNTIMES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sbom")
    assert sbom.main(path) == 0
    return path


def bill(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.cdx.json").read_text("utf-8"))


@RUNTIMES
def test_a_bill_holds_to_the_schema(folder: Path, name: str) -> None:
    text = (folder / f"{name}.cdx.json").read_text("utf-8")
    validator = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    broken = text.replace('"type": "library"', '"type": "liberty"', 1)
    assert validator.validate_str(broken) is not None


@RUNTIMES
def test_it_names_every_locked_release_and_nothing_else(folder: Path, name: str) -> None:
    pins = sbom.pinned(sbom.RUNTIMES[name][1].read_text("utf-8"))
    named = {sbom.canonical(c["name"]): c["version"] for c in bill(folder, name)["components"]}
    assert named == pins
    assert len(pins) > 100


@RUNTIMES
def test_each_component_has_its_address_and_most_their_licence(folder: Path, name: str) -> None:
    components = bill(folder, name)["components"]
    assert all(component["purl"].startswith("pkg:pypi/") for component in components)
    licensed = [component for component in components if component.get("licenses")]
    assert len(licensed) > 0.9 * len(components)


@RUNTIMES
def test_dependencies_lead_to_components_of_the_bill(folder: Path, name: str) -> None:
    whole = bill(folder, name)
    known = {component["bom-ref"] for component in whole["components"]}
    (root,) = [row for row in whole["dependencies"] if row["ref"] == "shimin"]
    assert set(root["dependsOn"]) == known
    edges = [set(row.get("dependsOn", ())) for row in whole["dependencies"]]
    assert set().union(*edges) <= known
    assert sum(map(len, edges)) > 2 * len(known)


def test_the_same_environment_makes_the_same_file(folder: Path, tmp_path: Path) -> None:
    environment, lock = sbom.RUNTIMES["rasa"]
    again = sbom.bill_of(environment, lock.read_text("utf-8"), "rasa")
    assert again == bill(folder, "rasa")


def test_a_release_that_is_not_there_as_locked_is_named() -> None:
    environment, lock = sbom.RUNTIMES["rasa"]
    pins = lock.read_text("utf-8") + "\nno-such-thing==1.0\n"
    with pytest.raises(sbom.SbomError, match="no-such-thing"):
        sbom.bill_of(environment, pins, "rasa")
    other = lock.read_text("utf-8").replace("rasa==3.6.21", "rasa==3.6.20")
    with pytest.raises(sbom.SbomError, match=r"not installed as locked: rasa$"):
        sbom.bill_of(environment, other, "rasa")
