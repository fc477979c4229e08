"""Writes the JSON schemas of the YAML files, for editors and for a city's own tools.

``python -m matcher.schema`` rewrites them; a test keeps them in step with the models.
"""

from __future__ import annotations

import json
from pathlib import Path

from base.settings import get_settings
from matcher.documents import Document
from matcher.elsewhere import Elsewhere
from matcher.package import Package
from matcher.policy import Policy
from matcher.service import Hall, ServiceItem

__all__ = ["SCHEMAS", "render", "write"]

SCHEMAS: dict[str, type[Document]] = {
    "elsewhere.schema.json": Elsewhere,
    "hall.schema.json": Hall,
    "package.schema.json": Package,
    "policy.schema.json": Policy,
    "service.schema.json": ServiceItem,
}


def render(model: type[Document]) -> str:
    """Return the JSON Schema (2020-12) of ``model`` as indented text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="validation"),
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write(directory: Path) -> None:
    """Write every schema into ``directory``."""
    for name, model in SCHEMAS.items():
        (directory / name).write_text(render(model), encoding="utf-8")


if __name__ == "__main__":
    write(get_settings().policies_dir)
