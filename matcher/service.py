"""Government service items (办事指南) and the halls that handle them."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from base.calendar import WeeklyHours
from base.errors import ConfigurationError
from matcher.documents import Day, Document, Identifier, Text, read_model, read_yaml

__all__ = [
    "FIRST_SENTENCE",
    "Appointment",
    "Basis",
    "Booking",
    "Fee",
    "Hall",
    "Material",
    "Online",
    "Option",
    "Place",
    "Plain",
    "Sentence",
    "ServiceItem",
    "TimeLimit",
    "Variant",
    "first_sentence",
    "load_halls",
    "load_services",
]


FIRST_SENTENCE = 60
"""Most characters of an answer's first sentence, so that it is heard and read at once."""

_SENTENCE_END = re.compile(r"[。！？!?\n]")


def first_sentence(text: str) -> str:
    """Return ``text`` up to and with its first full stop, question or exclamation mark."""
    end = _SENTENCE_END.search(text)
    return text[: end.end()].strip() if end else text


def _begins_short(text: str) -> str:
    length = len(first_sentence(text))
    if length > FIRST_SENTENCE:
        raise ValueError(f"the first sentence has {length} characters, {FIRST_SENTENCE} at most")
    return text


def _is_one_sentence(text: str) -> str:
    if first_sentence(text) != text or not _SENTENCE_END.search(text):
        raise ValueError("exactly one sentence with its full stop is expected")
    return text


Plain = Annotated[Text, AfterValidator(_begins_short)]
"""Words that begin with a sentence short enough to be an answer by itself."""

Sentence = Annotated[Plain, AfterValidator(_is_one_sentence)]
"""One short sentence."""


class Material(Document):
    """One thing to bring."""

    name: Annotated[Text, StringConstraints(max_length=60)]
    note: Text | None = None
    required: bool


class Fee(Document):
    """What it costs: ``amount`` in yuan, absent when it varies."""

    amount: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    unit: Text | None = None
    text: Plain


class TimeLimit(Document):
    """The legal and the promised time limit."""

    legal: Text
    promised: Text
    text: Plain


class Place(Document):
    """Where one goes in person."""

    halls: tuple[Identifier, ...] = ()
    text: Plain
    hours: Text


class Online(Document):
    """The way without leaving home."""

    text: Plain
    entry: Text | None = None


class Basis(Document):
    """A law or document that the item follows."""

    title: Text
    article: Text | None = None


class Appointment(Document):
    """Whether an appointment is needed, and how to make it.

    ``bookable``: the assistant may take the request for a window of one of the halls.
    """

    required: bool
    bookable: bool
    text: Plain


class Option(Document):
    """One situation of a variant and what it changes of the item.

    Args:
        label: on the button.
        words: how people say that they are in this situation.
        materials: brought in addition.
        without: names of the item's materials that are not needed.
        note: said with every answer.
        refused: said instead of an answer when the item cannot be done this way.
    """

    id: Identifier
    label: Annotated[Text, StringConstraints(max_length=12)]
    words: tuple[Text, ...] = ()
    materials: tuple[Material, ...] = ()
    without: tuple[Text, ...] = ()
    steps: tuple[Text, ...] | None = None
    fee: Fee | None = None
    time_limit: TimeLimit | None = None
    place: Place | None = None
    online: Online | None = None
    note: Plain | None = None
    refused: Plain | None = None


class Variant(Document):
    """A circumstance that changes the answer: 本人还是代办, 首次还是补办."""

    id: Identifier
    ask: Annotated[Text, StringConstraints(max_length=40)]
    options: tuple[Option, ...] = Field(min_length=2, max_length=5)


class ServiceItem(Document):
    """One service item as a citizen needs it.

    Args:
        answer: the whole matter in one sentence: what to bring where, what it costs, how long.
        checked: the day somebody compared the item with its sources.
        review_by: the day it has to be compared again.
        results: what the citizen gets; a later step of a package needs not ask for it.
        variants: circumstances that change the answer, asked only when they do.
    """

    id: Identifier
    name: Text
    aliases: tuple[Text, ...] = Field(min_length=1)
    domain: Text
    audience: Literal["resident", "enterprise", "both"]
    questions: tuple[Text, ...] = Field(min_length=3)
    answer: Sentence
    summary: Plain
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
    review_by: Day
    origin: Literal["real", "sample"]
    appointment: Appointment
    results: tuple[Text, ...] = ()
    variants: tuple[Variant, ...] = ()

    @model_validator(mode="after")
    def _variants_fit(self) -> Self:
        names = {material.name for material in self.materials}
        for variant in self.variants:
            identifiers = [option.id for option in variant.options]
            if len(set(identifiers)) < len(identifiers):
                raise ValueError(f"variants: {variant.id}: an option's id comes twice")
            for option in variant.options:
                unknown = set(option.without) - names
                if unknown:
                    raise ValueError(
                        f"variants: {variant.id}.{option.id}: without: "
                        f"not a material of the item: {'、'.join(sorted(unknown))}"
                    )
        if len({variant.id for variant in self.variants}) < len(self.variants):
            raise ValueError("variants: an id comes twice")
        if self.review_by <= self.checked:
            raise ValueError("review_by: is not after checked")
        return self


def _opening_hours(text: str) -> str:
    WeeklyHours.parse(text)
    return text


class Booking(Document):
    """How a hall takes appointments.

    Args:
        minutes: length of a slot; slots begin with each stretch of the opening hours.
        windows: how many people a slot takes for each domain.
        by_domain: domains with another number of windows; 0: none can be booked.
        lead_minutes: so long before its beginning a slot can still be booked.
    """

    minutes: int = Field(ge=10, le=120)
    windows: int = Field(ge=0, le=50)
    by_domain: dict[Text, Annotated[int, Field(ge=0, le=50)]] = Field(default_factory=dict)
    lead_minutes: int = Field(default=60, ge=0, le=2880)


class Hall(Document):
    """A service hall; coordinates in degrees, WGS 84.

    ``hours`` are written as :meth:`base.calendar.WeeklyHours.parse` reads them. Without
    ``booking`` the hall takes no appointments here.
    """

    id: Identifier
    name: Text
    district: Text
    address: Text
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+-]{3,20}$")]
    hours: Annotated[Text, AfterValidator(_opening_hours)]
    domains: tuple[Text, ...] = Field(min_length=1)
    booking: Booking | None = None

    @model_validator(mode="after")
    def _booked_domains_are_handled(self) -> Self:
        unknown = set(self.booking.by_domain) - set(self.domains) if self.booking else set()
        if unknown:
            raise ValueError(f"booking: by_domain: no window for {', '.join(sorted(unknown))}")
        return self

    @cached_property
    def opening(self) -> WeeklyHours:
        """When the hall is open."""
        return WeeklyHours.parse(self.hours)

    def windows_for(self, domain: str) -> int:
        """Return how many people a slot takes for ``domain``; 0: it cannot be booked here."""
        if self.booking is None or domain not in self.domains:
            return 0
        return self.booking.by_domain.get(domain, self.booking.windows)


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
