"""The JSON schemas in the repository are those of the models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from base.settings import ROOT
from matcher.schema import SCHEMAS, render, write


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_in_step_with_the_models(name: str) -> None:
    stored = (ROOT / "policies" / name).read_text(encoding="utf-8")
    assert stored == render(SCHEMAS[name]), "run: python -m matcher.schema"


def test_written_schemas_refuse_unknown_fields(tmp_path: Path) -> None:
    write(tmp_path)
    for name in SCHEMAS:
        schema = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        assert schema["additionalProperties"] is False
        assert "id" in schema["required"]
