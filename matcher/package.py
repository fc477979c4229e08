"""Packages (一件事): one event of life, the service items it takes, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from base.errors import ConfigurationError
from matcher.documents import Day, Document, Identifier, Text, read_model
from matcher.service import Basis, Plain, Sentence, ServiceItem

__all__ = [
    "Package",
    "Step",
    "chosen_steps",
    "load_packages",
    "open_question",
    "predecessors",
]


class Step(Document):
    """One service item of a package.

    Args:
        service: the item.
        after: items of the package that have to be done before it.
        when: who needs the step, when not everybody does.
        unless: earlier items of the package of which one chosen makes this step needless.
        situation: the item's variants that this event of life settles: variant → option.
        note: what is easier inside the package than alone.
    """

    service: Identifier
    after: tuple[Identifier, ...] = ()
    when: Text | None = None
    unless: tuple[Identifier, ...] = ()
    situation: Mapping[Identifier, Identifier] = Field(default_factory=dict)
    note: Text | None = None


class Package(Document):
    """One event of life as a citizen tells it.

    Args:
        steps: in an order that may be followed from the first to the last.
        joint: how several steps are applied for at once, when the city offers that.
    """

    id: Identifier
    name: Text
    aliases: tuple[Text, ...] = Field(min_length=1)
    questions: tuple[Text, ...] = Field(min_length=3)
    answer: Sentence
    summary: Plain
    steps: tuple[Step, ...] = Field(min_length=2)
    joint: Plain | None = None
    department: Text
    phone: Text
    basis: tuple[Basis, ...] = Field(min_length=1)
    checked: Day
    review_by: Day

    @model_validator(mode="after")
    def _order_holds(self) -> Self:
        done: set[str] = set()
        for step in self.steps:
            if step.service in done:
                raise ValueError(f"steps: {step.service} comes twice")
            missing = {*step.after, *step.unless} - done
            if missing:
                raise ValueError(f"steps: {step.service} comes before {', '.join(sorted(missing))}")
            done.add(step.service)
        return self


def open_question(package: Package, answers: Mapping[str, bool]) -> Step | None:
    """Return the first step whose ``when`` still has to be asked, None when all is known.

    Args:
        package: the event.
        answers: whether the citizen needs a step, by its service.
    """
    chosen = {step.service for step in chosen_steps(package, answers)}
    for step in package.steps:
        settled = step.when is None or bool(chosen & set(step.unless))
        if not settled and step.service not in answers:
            return step
    return None


def chosen_steps(package: Package, answers: Mapping[str, bool]) -> tuple[Step, ...]:
    """Return the steps the citizen needs, in their order; an open one is left out."""
    chosen: list[Step] = []
    for step in package.steps:
        replaced = any(earlier.service in step.unless for earlier in chosen)
        if not replaced and (step.when is None or answers.get(step.service, False)):
            chosen.append(step)
    return tuple(chosen)


def predecessors(package: Package, chosen: Sequence[Step]) -> dict[str, frozenset[str]]:
    """Return for each chosen step the chosen steps that have to be done before it.

    A step that was left out never blocks: its own predecessors stand in for it.
    """
    kept = {step.service for step in chosen}
    before: dict[str, frozenset[str]] = {}
    for step in package.steps:
        needed: set[str] = set()
        for name in step.after:
            needed |= {name} if name in kept else before[name]
        before[step.service] = frozenset(needed)
    return {step.service: before[step.service] for step in chosen}


def load_packages(directory: Path, services: Sequence[ServiceItem]) -> tuple[Package, ...]:
    """Read every ``*.yml`` of ``directory``, ordered by id.

    Raises:
        ConfigurationError: a file is wrong, its name is not its id, a step is no item, or its
            situation names no variant or option of that item.
    """
    known = {item.id: item for item in services}
    packages = []
    for path in sorted(directory.glob("*.yml")):
        package = read_model(path, Package)
        if package.id != path.stem:
            raise ConfigurationError(f"{path}: id: {package.id!r} is not the file's name")
        unknown = [step.service for step in package.steps if step.service not in known]
        if unknown:
            raise ConfigurationError(f"{path}: steps: no service item {', '.join(unknown)}")
        for step in package.steps:
            _check_situation(path, step, known[step.service])
        packages.append(package)
    return tuple(packages)


def _check_situation(path: Path, step: Step, item: ServiceItem) -> None:
    options = {variant.id: {option.id for option in variant.options} for variant in item.variants}
    for variant, option in step.situation.items():
        if option not in options.get(variant, set()):
            raise ConfigurationError(
                f"{path}: steps: {step.service}: situation: no option {variant}:{option}"
            )
