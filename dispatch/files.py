"""Reading the YAML files of a city; every fault names the file and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from base.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        ConfigurationError: the file is missing, not UTF-8, not YAML or not a mapping.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: is not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: must be a mapping")
    return document


def validate(model: type[Model], row: object, where: str) -> Model:
    """Check ``row`` against ``model``; ``where`` is the file and, if any, the item.

    Raises:
        ConfigurationError: ``<where>: <field>: <what is wrong>``.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        place = f"{where}: {field}" if field else where
        raise ConfigurationError(f"{place}: {first['msg']}") from error
