"""What the desk asks with a request: the service definitions and the check of the answers.

The questions are data (``dispatch/desk_attributes.yml``); a city replaces the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from base.errors import ConfigurationError
from dispatch.desk.api_errors import ApiError
from dispatch.files import read_mapping, validate
from dispatch.open311.models import AttributeValue, ServiceAttribute, ServiceDefinition
from dispatch.open311.reader import parse_time

LISTS = frozenset({"singlevaluelist", "multivaluelist"})
Answers = Mapping[str, Sequence[str]]


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]


class Question(BaseModel):
    """One attribute of a service definition, as the file writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    variable: bool = True
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    required: bool = False
    description: Annotated[str, Field(min_length=1)]
    datatype_description: str | None = None
    values: tuple[_Choice, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Question:
        if (self.datatype in LISTS) != bool(self.values):
            raise ValueError("values belong to a list datatype, and a list datatype needs values")
        if len({choice.key for choice in self.values}) != len(self.values):
            raise ValueError("two values share a key")
        if self.required and not self.variable:
            raise ValueError("a notice cannot be required")
        return self

    def problem(self, given: Sequence[str]) -> str | None:
        """Say what is wrong with the answer, ``None`` when nothing is.

        An empty value counts as not given ("a null parameter should be treated as equivalent to a
        non-declared parameter").
        """
        values = [value.strip() for value in given if value.strip()]
        if not values:
            return "was not provided" if self.required else None
        if len(values) > 1 and self.datatype != "multivaluelist":
            return "takes one value"
        if self.datatype in LISTS:
            keys = [choice.key for choice in self.values]
            return None if set(values) <= set(keys) else f"must be one of {', '.join(keys)}"
        value = values[0]
        if self.datatype == "number" and not _is_number(value):
            return "must be a number"
        if self.datatype == "datetime" and parse_time(value) is None:
            return "must be an ISO 8601 date-time"
        if self.datatype == "string" and "\n" in value:
            return "must not contain line breaks"
        return None

    def attribute(self, order: int) -> ServiceAttribute:
        """Describe the question for the API."""
        return ServiceAttribute(
            code=self.code,
            variable=self.variable,
            datatype=self.datatype,
            required=self.required,
            datatype_description=self.datatype_description,
            order=order,
            description=self.description,
            values=tuple(AttributeValue(choice.key, choice.name) for choice in self.values),
        )


@dataclass(frozen=True)
class Questions:
    """The questions of one desk: those of every service, and those of one service each."""

    common: tuple[Question, ...]
    services: Mapping[str, tuple[Question, ...]]

    def of(self, service_code: str) -> tuple[Question, ...]:
        """Return the questions of a service, in the order to ask them."""
        return self.common + self.services.get(service_code, ())

    def definition(self, service_code: str) -> ServiceDefinition:
        """Return the service's definition; orders count from 1."""
        asked = enumerate(self.of(service_code), start=1)
        return ServiceDefinition(
            service_code, tuple(question.attribute(order) for order, question in asked)
        )

    def check(self, service_code: str, answers: Answers) -> None:
        """Check the answers. Answers nobody asked for are left alone.

        Raises:
            ApiError: 400 naming every attribute that is missing or does not fit its datatype.
        """
        problems = [
            f"attribute[{question.code}] {problem}"
            for question in self.of(service_code)
            if question.variable and (problem := question.problem(answers.get(question.code, ())))
        ]
        if problems:
            raise ApiError(400, *problems)

    def titles(self, service_code: str) -> dict[str, str]:
        """Return what each attribute is called, by its code."""
        return {question.code: question.description for question in self.of(service_code)}


def load_questions(path: Path, service_codes: Sequence[str]) -> Questions:
    """Read and check a file of questions.

    Raises:
        ConfigurationError: naming the file and the item at fault.
    """
    document = read_mapping(path)
    unknown = set(document) - {"common", "services"}
    if unknown:
        raise ConfigurationError(f"{path}: unknown field {', '.join(sorted(map(str, unknown)))}")
    services = document.get("services") or {}
    if not isinstance(services, dict):
        raise ConfigurationError(f"{path}: services: must be a mapping")
    strangers = set(services) - set(service_codes)
    if strangers:
        raise ConfigurationError(f"{path}: services: {min(map(str, strangers))}: no such service")
    questions = Questions(
        _questions(document.get("common"), f"{path}: common"),
        {code: _questions(rows, f"{path}: {code}") for code, rows in services.items()},
    )
    for code in service_codes:
        codes = [question.code for question in questions.of(code)]
        if len(set(codes)) != len(codes):
            raise ConfigurationError(f"{path}: {code}: a code occurs twice")
    return questions


def _questions(rows: object, where: str) -> tuple[Question, ...]:
    if not isinstance(rows, list):
        raise ConfigurationError(f"{where}: must be a list")
    return tuple(validate(Question, row, f"{where}.{index}") for index, row in enumerate(rows))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
