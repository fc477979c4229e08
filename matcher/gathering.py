"""What to bring for several service items: each thing once, with what each of them says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matcher.service import ServiceItem

__all__ = ["FORM", "Gathered", "Use", "gather"]

FORM = "申请表"
"""A form to fill in: items share its name and not the sheet."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one service item says of a thing."""

    item: str
    note: str | None
    required: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """One thing to bring, for one or more items.

    Args:
        name: unique among what was gathered.
        required: at least one item cannot do without it.
        uses: in the order of the items; never empty.
    """

    name: str
    required: bool
    uses: tuple[Use, ...]

    @property
    def note(self) -> str | None:
        """What to mind: a note all uses share, else each with the name of its item."""
        return "".join(self.notes) or None

    @property
    def notes(self) -> tuple[str, ...]:
        """The same as :attr:`note`, a line each."""
        if self.name == FORM and len(self.uses) > 1:
            return (f"每件事各填一张：{'、'.join(use.item for use in self.uses)}。",)
        if len({use.note for use in self.uses}) == 1:
            return (self.uses[0].note,) if self.uses[0].note else ()
        return tuple(f"{use.item}：{use.note}" for use in self.uses if use.note)


def gather(items: Sequence[ServiceItem]) -> tuple[Gathered, ...]:
    """Return what to bring for ``items`` done in this order, each thing once.

    What an earlier item results in is not asked for by a later one.

    Args:
        items: as they are in the citizen's situation (:func:`matcher.situation.situated`).
    """
    uses: dict[str, list[Use]] = {}
    obtained: set[str] = set()
    for item in items:
        for material in item.materials:
            if material.name not in obtained:
                use = Use(item.name, material.note, material.required)
                uses.setdefault(material.name, []).append(use)
        obtained.update(item.results)
    return tuple(
        Gathered(name, any(use.required for use in found), tuple(found))
        for name, found in uses.items()
    )
