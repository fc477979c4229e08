"""Government service items (办事指南) and the halls that handle them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from base.errors import ConfigurationError
from matcher.documents import Day, Document, Identifier, Text, read_model, read_yaml

__all__ = [
    "Appointment",
    "Basis",
    "Fee",
    "Hall",
    "Material",
    "Online",
    "Place",
    "ServiceItem",
    "TimeLimit",
    "load_halls",
    "load_services",
]


class Material(Document):
    """One thing to bring."""

    name: Text
    note: Text | None = None
    required: bool


class Fee(Document):
    """What it costs: ``amount`` in yuan, absent when it varies."""

    amount: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    unit: Text | None = None
    text: Text


class TimeLimit(Document):
    """The legal and the promised time limit."""

    legal: Text
    promised: Text
    text: Text


class Place(Document):
    """Where one goes in person."""

    halls: tuple[Identifier, ...] = ()
    text: Text
    hours: Text


class Online(Document):
    """The way without leaving home."""

    text: Text
    entry: Text | None = None


class Basis(Document):
    """A law or document that the item follows."""

    title: Text
    article: Text | None = None


class Appointment(Document):
    """Whether an appointment is needed, and how to make it."""

    required: bool
    text: Text


class ServiceItem(Document):
    """One service item as a citizen needs it."""

    id: Identifier
    name: Text
    aliases: tuple[Text, ...] = Field(min_length=1)
    domain: Text
    audience: Literal["resident", "enterprise", "both"]
    questions: tuple[Text, ...] = Field(min_length=3)
    summary: Text
    conditions: tuple[Text, ...] = ()
    materials: tuple[Material, ...] = Field(min_length=1)
    steps: tuple[Text, ...] = Field(min_length=1)
    fee: Fee
    time_limit: TimeLimit
    place: Place
    online: Online
    department: Text
    phone: Text
    basis: tuple[Basis, ...] = Field(min_length=1)
    checked: Day
    origin: Literal["real", "sample"]
    appointment: Appointment


class Hall(Document):
    """A service hall; coordinates in degrees, WGS 84."""

    id: Identifier
    name: Text
    district: Text
    address: Text
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+-]{3,20}$")]
    hours: Text
    domains: tuple[Text, ...] = Field(min_length=1)


class _Halls(Document):
    halls: tuple[Hall, ...] = Field(min_length=1)


def load_services(directory: Path) -> tuple[ServiceItem, ...]:
    """Read every ``*.yml`` of ``directory``, ordered by id.

    Raises:
        ConfigurationError: no item is found, a file is wrong, or its name is not its id.
    """
    items = []
    for path in sorted(directory.glob("*.yml")):
        item = read_model(path, ServiceItem)
        if item.id != path.stem:
            raise ConfigurationError(f"{path}: id: {item.id!r} is not the file's name")
        items.append(item)
    if not items:
        raise ConfigurationError(f"{directory}: no service items found")
    return tuple(items)


def load_halls(path: Path) -> tuple[Hall, ...]:
    """Read the halls of one file: a list, or a mapping with the single key ``halls``.

    Raises:
        ConfigurationError: the file is wrong or an id comes twice.
    """
    content = read_yaml(path)
    halls = read_model(
        path, _Halls, {"halls": content} if isinstance(content, list) else content
    ).halls
    seen: set[str] = set()
    for hall in halls:
        if hall.id in seen:
            raise ConfigurationError(f"{path}: id: {hall.id!r} is taken")
        seen.add(hall.id)
    return halls
