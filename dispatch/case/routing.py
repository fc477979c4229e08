"""Who handles a complaint: ordered rules, the first that matches decides.

The rules of a city are data (``dispatch/routing.yml``, explained in docs/routing.md). What no
rule matches goes to the category's department with the category's limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from base.calendar import CITY_TIME
from base.errors import ConfigurationError
from dispatch.classification.categories import (
    RESOLVE_LIMIT_HOURS,
    RESPOND_LIMIT_HOURS,
    Categories,
    Category,
    Hours,
    Level,
    Text,
)
from dispatch.files import read_mapping, validate
from dispatch.times.calendar import Calendar, DayKind
from store.models import utc_now

log = structlog.get_logger(__name__)

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_SPAN = re.compile(rf"^{_CLOCK}-{_CLOCK}$")
_FIELD = re.compile(r"\{([^{}]*)\}")
_AREA_END = re.compile(r"[区县市]$")
_DAY_MINUTES = 24 * 60
_LEVELS: tuple[Level, ...] = ("normal", "urgent")
_DAYS: tuple[DayKind, ...] = ("workday", "weekend", "holiday")
UNIT_CHARS = 80
"""What a ticket's department column holds."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Areas = dict[str, tuple[str, ...]]
"""The streets of each district."""
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_list), Field(min_length=1)]


class Rule(BaseModel):
    """One rule. Every condition that is given must hold; a list holds when one of it does.

    ``category`` is a code or a beginning that ends with a dot (``noise.``). ``hours`` are
    "HH:MM-HH:MM" in city time, the end excluded, over midnight when it ends before it begins.
    ``days`` is the kind of the calendar day. In ``unit``, ``{district}`` stands for the
    district's name and ``{area}`` for it without 区, 县 or 市; such a rule matches only when
    the district is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    category: Names | None = None
    district: Names | None = None
    street: Names | None = None
    severity: Level | None = None
    days: Annotated[tuple[DayKind, ...], BeforeValidator(_as_list), Field(min_length=1)] | None = (
        None
    )
    hours: Annotated[str, Field(pattern=_SPAN.pattern)] | None = None
    unit: Text
    respond_hours: Annotated[Hours, Field(le=RESPOND_LIMIT_HOURS)] | None = None
    resolve_hours: Annotated[Hours, Field(le=RESOLVE_LIMIT_HOURS)] | None = None
    basis: Text | None = None


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    supervisor: Annotated[str, Field(min_length=1, max_length=UNIT_CHARS)]
    rules: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Assignment:
    """The unit in charge, its limits in hours, and the name of the rule (None: the fallback)."""

    unit: str
    respond_hours: int
    resolve_hours: int
    rule: str | None


@dataclass(frozen=True)
class _Reach:
    """Everything a rule matches, spelt out. ``None`` in an area set is an unknown area."""

    categories: frozenset[str]
    districts: frozenset[str | None]
    streets: frozenset[str | None]
    levels: frozenset[str]
    days: frozenset[str]
    minutes: frozenset[int]

    def covers(self, other: _Reach) -> bool:
        """Tell whether every case of ``other`` is one of this."""
        return (
            self.categories >= other.categories
            and self.districts >= other.districts
            and self.streets >= other.streets
            and self.levels >= other.levels
            and self.days >= other.days
            and self.minutes >= other.minutes
        )


class Router:
    """The routing of one city; immutable once loaded."""

    def __init__(
        self,
        supervisor: str,
        rules: tuple[tuple[Rule, _Reach], ...],
        categories: Categories,
        calendar: Calendar,
        areas: Areas,
    ) -> None:
        self.supervisor = supervisor
        self._rules = rules
        self._categories = categories
        self._calendar = calendar
        self._areas = areas

    @classmethod
    def load(cls, path: Path, categories: Categories, city_dir: Path) -> Router:
        """Read a routing file and check it against the city's categories, districts and streets.

        ``city_dir`` holds ``districts.yml`` and ``calendar.yml``.

        Raises:
            ConfigurationError: naming the file, the rule and the field at fault; also for a
                rule that can never be reached and for limits in the wrong order.
        """
        calendar = Calendar.load(city_dir / "calendar.yml")
        year = utc_now().astimezone(CITY_TIME).year
        if year not in calendar.years:
            log.warning("holidays_unknown", year=year, file=str(city_dir / "calendar.yml"))
        areas = _areas(city_dir / "districts.yml")
        file = validate(_File, read_mapping(path), str(path))
        rules: list[tuple[Rule, _Reach]] = []
        for index, row in enumerate(file.rules):
            where = f"{path}: {row.get('name', f'rules.{index}')}"
            rule = validate(Rule, row, where)
            _check_unit(rule, areas, where)
            reach = _reach(rule, categories, areas, where)
            for earlier, wider in rules:
                if earlier.name == rule.name:
                    raise ConfigurationError(f"{where}: name: occurs twice")
                if wider.covers(reach):
                    raise ConfigurationError(
                        f"{where}: never reached, {earlier.name} matches all of it before"
                    )
            for code in sorted(reach.categories):
                for level in sorted(reach.levels):
                    _limits(rule, categories[code], level, where)
            rules.append((rule, reach))
        return cls(file.supervisor, tuple(rules), categories, calendar, areas)

    def assign(
        self,
        category: str,
        district: str | None,
        street: str | None,
        severity: Literal["normal", "urgent"],
        moment: datetime,
    ) -> Assignment:
        """Return the unit in charge at ``moment`` (aware) and its limits.

        A district or street the city does not have counts as unknown.

        Raises:
            KeyError: the category is unknown.
        """
        there = moment.astimezone(CITY_TIME)
        day, minute = self._calendar.kind(there.date()), there.hour * 60 + there.minute
        district = district if district in self._areas else None
        street = street if street in self._areas.get(district or "", ()) else None
        for rule, reach in self._rules:
            if (
                category in reach.categories
                and district in reach.districts
                and street in reach.streets
                and severity in reach.levels
                and day in reach.days
                and minute in reach.minutes
            ):
                respond, resolve = _limits(rule, self._categories[category], severity, rule.name)
                return Assignment(_unit(rule, district), respond, resolve, rule.name)
        fallback = self._categories[category]
        return Assignment(fallback.department, *fallback.limits(severity), None)


def _areas(path: Path) -> Areas:
    """Return the streets of each district."""
    try:
        return {
            district["name"]: tuple(street["name"] for street in district["streets"])
            for district in read_mapping(path)["districts"]
        }
    except (KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: districts: {error!r}") from error


def _check_unit(rule: Rule, areas: Iterable[str], where: str) -> None:
    for field in _FIELD.findall(rule.unit):
        if field not in ("district", "area"):
            raise ConfigurationError(f"{where}: unit: {{{field}}} is unknown")
    longest = max((len(_unit(rule, name)) for name in areas), default=len(rule.unit))
    if longest > UNIT_CHARS:
        raise ConfigurationError(f"{where}: unit: is longer than {UNIT_CHARS} characters")


def _unit(rule: Rule, district: str | None) -> str:
    values = {"district": district or "", "area": _AREA_END.sub("", district or "")}
    return _FIELD.sub(lambda found: values[found.group(1)], rule.unit)


def _reach(rule: Rule, categories: Categories, areas: Areas, where: str) -> _Reach:
    streets = {street for names in areas.values() for street in names}
    in_district = {street for name in rule.district or areas for street in areas.get(name, ())}
    needs_district = rule.district is not None or _FIELD.search(rule.unit) is not None
    return _Reach(
        categories=_codes(rule, categories, where),
        districts=_known(rule.district, areas, needs_district, f"{where}: district"),
        streets=_known(
            rule.street,
            in_district if rule.street else streets,
            rule.street is not None,
            f"{where}: street",
        ),
        levels=frozenset((rule.severity,) if rule.severity else _LEVELS),
        days=frozenset(rule.days or _DAYS),
        minutes=_minutes(rule.hours, where),
    )


def _codes(rule: Rule, categories: Categories, where: str) -> frozenset[str]:
    if rule.category is None:
        return frozenset(categories.codes)
    found: set[str] = set()
    for name in rule.category:
        codes = {name} & set(categories.codes)
        if name.endswith("."):
            codes = {code for code in categories.codes if code.startswith(name)}
        if not codes:
            raise ConfigurationError(f"{where}: category: {name} is unknown")
        found |= codes
    return frozenset(found)


def _known(
    named: tuple[str, ...] | None, known: Iterable[str], needed: bool, where: str
) -> frozenset[str | None]:
    """Return the names a condition holds for; None among them when it needs no name."""
    for name in named or ():
        if name not in known:
            raise ConfigurationError(f"{where}: {name} is unknown")
    unknown: tuple[None, ...] = () if needed else (None,)
    return frozenset((*(named or known), *unknown))


def _minutes(hours: str | None, where: str) -> frozenset[int]:
    """Return the minutes of the day of "22:00-06:00"."""
    if hours is None:
        return frozenset(range(_DAY_MINUTES))
    found = _SPAN.match(hours)
    assert found is not None
    start, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
    if start == end:
        raise ConfigurationError(f"{where}: hours: {hours} is empty")
    length = (end - start) % _DAY_MINUTES
    return frozenset((start + minute) % _DAY_MINUTES for minute in range(length))


def _limits(rule: Rule, category: Category, level: str, where: str) -> tuple[int, int]:
    """Return a rule's limits; for an urgent matter never longer than the category's."""
    own = category.limits("urgent" if level == "urgent" else "normal")
    respond, resolve = rule.respond_hours or own[0], rule.resolve_hours or own[1]
    if level == "urgent":
        respond, resolve = min(respond, own[0]), min(resolve, own[1])
    if respond > resolve:
        raise ConfigurationError(
            f"{where}: respond_hours: {respond} exceeds resolve_hours {resolve}"
            f" for {category.code} ({level})"
        )
    return respond, resolve
