"""A citizen's checklist: what his case asks for now, joined with what he has ticked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from matcher.gathering import Gathered, gather
from matcher.package import Package, chosen_steps, predecessors
from matcher.service import Hall, ServiceItem, Variant
from matcher.situation import Situation, open_variant, situated

__all__ = [
    "Entry", "Guides", "Kind", "Name", "Plan", "Sheet", "items_of", "open_question_of", "sheet_of",
]  # fmt: skip

Kind = Literal["material", "step"]
Name = tuple[str, str]
"""Kind and name of an entry, as :mod:`store.checklists` keeps it."""


class Guides(Protocol):
    """Where items are looked up: a :class:`matcher.catalogue.Catalogue` or plain guides."""

    def service(self, identifier: str) -> ServiceItem | None:
        """Return a service item, or None."""
        ...

    def package(self, identifier: str) -> Package | None:
        """Return a package, or None."""
        ...

    def halls_for(self, item: ServiceItem) -> tuple[Hall, ...]:
        """Return the halls that handle ``item``."""
        ...


@dataclass(frozen=True)
class Plan:
    """What the citizen told of his case.

    Args:
        answers: whether he needs a step that not everybody does, by its service.
        situations: the options that hold, by service item.
    """

    answers: Mapping[str, bool] = field(default_factory=dict)
    situations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Plan:
        """Return the plan that :meth:`as_dict` wrote."""
        return cls(dict(kept["answers"]), {k: dict(v) for k, v in kept["situations"].items()})

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it."""
        return {
            "answers": dict(self.answers),
            "situations": {item: dict(options) for item, options in self.situations.items()},
        }

    def with_situation(self, item_id: str, situation: Mapping[str, str]) -> Plan:
        """Return the plan after the citizen told of his situation for an item."""
        known = dict(self.situations.get(item_id, {})) | dict(situation)
        return Plan(self.answers, {**self.situations, item_id: known})


@dataclass(frozen=True)
class Entry:
    """One line of a checklist.

    Args:
        kind: a thing to bring or an item to do.
        name: the material's name, the step's service id.
        title: what the citizen reads.
        required: False for what only some situations ask for.
        after: the chosen steps to be done before, in their order; none for a material.
        ready: whether all of them are done.
    """

    kind: Kind
    name: str
    title: str
    ticked: bool
    required: bool = True
    after: tuple[str, ...] = ()
    ready: bool = True

    @property
    def key(self) -> Name:
        """How the store names it."""
        return self.kind, self.name


@dataclass(frozen=True)
class Sheet:
    """A checklist as it stands.

    Args:
        matter: the package, or the single item.
        items: the chosen items in the citizen's situation, in their order.
        gathered: what to bring, in the order of the material entries.
        entries: the materials, then the steps.
    """

    matter: Package | ServiceItem
    items: tuple[ServiceItem, ...]
    gathered: tuple[Gathered, ...]
    entries: tuple[Entry, ...]

    def of(self, kind: Kind) -> tuple[Entry, ...]:
        """Return the entries of one kind."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def count(self, kind: Kind) -> tuple[int, int]:
        """Return how many entries of a kind are ticked, and how many there are."""
        entries = self.of(kind)
        return sum(entry.ticked for entry in entries), len(entries)

    def next_item(self) -> ServiceItem | None:
        """Return the first item not done whose predecessors are; None when all is done."""
        for entry, item in zip(self.of("step"), self.items, strict=True):
            if not entry.ticked and entry.ready:
                return item
        return None


def items_of(guides: Guides, matter_id: str, plan: Plan) -> tuple[ServiceItem, ...]:
    """Return the items the citizen needs, each in his situation; none for an unknown matter."""
    return tuple(situated(*chosen) for chosen in _chosen(guides, matter_id, plan))


def open_question_of(
    guides: Guides, matter_id: str, plan: Plan, passed: Collection[str]
) -> tuple[ServiceItem, Variant] | None:
    """Return the next question about the citizen's situation that changes what to bring.

    Args:
        guides: where items are looked up.
        matter_id: the package or the single item.
        plan: what he told already.
        passed: the items he was asked about and could not say.
    """
    for item, situation in _chosen(guides, matter_id, plan):
        variant = None if item.id in passed else open_variant(item, "materials", situation)
        if variant is not None:
            return item, variant
    return None


def _chosen(
    guides: Guides, matter_id: str, plan: Plan
) -> tuple[tuple[ServiceItem, Situation], ...]:
    """Return the chosen items; what he told of himself goes before what the package settles."""
    package = guides.package(matter_id)
    if package is None:
        item = guides.service(matter_id)
        return ((item, plan.situations.get(item.id, {})),) if item else ()
    return tuple(
        (item, {**step.situation, **plan.situations.get(item.id, {})})
        for step in chosen_steps(package, plan.answers)
        if (item := guides.service(step.service)) is not None
    )


def sheet_of(guides: Guides, matter_id: str, plan: Plan, ticked: Collection[Name]) -> Sheet | None:
    """Return the checklist of a matter as the city's files say now; None when it is gone."""
    package = guides.package(matter_id)
    matter = package or guides.service(matter_id)
    items = items_of(guides, matter_id, plan)
    if matter is None or not items:
        return None
    gathered = gather(items)
    materials = [
        Entry(
            "material", thing.name, thing.name, ("material", thing.name) in ticked, thing.required
        )
        for thing in gathered
    ]
    return Sheet(matter, items, gathered, (*materials, *_steps(package, plan, items, ticked)))


def _steps(
    package: Package | None, plan: Plan, items: Sequence[ServiceItem], ticked: Collection[Name]
) -> list[Entry]:
    before: Mapping[str, frozenset[str]] = {}
    if package is not None:
        before = predecessors(package, chosen_steps(package, plan.answers))
    done = {name for kind, name in ticked if kind == "step"}
    return [
        Entry(
            "step",
            item.id,
            item.name,
            item.id in done,
            after=tuple(one.id for one in items if one.id in before.get(item.id, frozenset())),
            ready=before.get(item.id, frozenset()) <= done,
        )
        for item in items
    ]
