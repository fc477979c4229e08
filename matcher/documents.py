"""Reads one YAML file of the city into a checked model; a fault names the file and the field."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode

from base.errors import ConfigurationError

__all__ = ["Body", "Day", "Document", "Identifier", "Text", "read_model", "read_yaml"]

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A stable name: the file name without its ending."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
"""Words that a citizen or an official reads; never empty."""

Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=40, max_length=20000)]
"""The text of a document, paragraph by paragraph."""


def _only_day(value: object) -> object:
    if isinstance(value, str | date):
        return value
    raise ValueError("a date (YYYY-MM-DD) is expected")


Day = Annotated[date, BeforeValidator(_only_day)]
"""A calendar day; a bare number is refused instead of being read as a timestamp."""


class Document(BaseModel):
    """A frozen piece of a YAML file: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, which also refuses a key written twice."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise ConstructorError(None, None, f"key {key!r} twice", key_node.start_mark)
            seen.add(str(key) if not isinstance(key, Hashable) else key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> Any:
    """Decode a YAML file (UTF-8).

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, or repeats a key.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error


def read_model(path: Path, model: type[Model], content: Any = None) -> Model:
    """Check the file at ``path`` (or ``content`` taken from it) against ``model``.

    Raises:
        ConfigurationError: the file cannot be read, or a field is wrong; every wrong field
            is named, as ``enterprise/x.yml: eligibility.0.when: …``.
    """
    try:
        return model.model_validate(read_yaml(path) if content is None else content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise ConfigurationError(f"{path}: {faults}") from error
