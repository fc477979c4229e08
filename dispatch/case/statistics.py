"""What the city may know of all complaints together: the figures of the public map.

No figure stands for one home. A dot is the middle of a cell of about a hundred metres, never the
point reported. Where a kind of complaint is about what one suffers at home (noise, smoke, smell,
light), a cell shows it only when three different people reported it there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy.orm import Session

from dispatch.case.limits import limits
from dispatch.classification.categories import Categories
from store.statistics import (
    CellTally,
    Tally,
    cell_tallies,
    handled_since,
    open_since,
    tallies,
)

SPANS = (30, 90)
"""Days a reader may look back."""
CELL_DEGREES = 0.001
"""Size of a cell: 111 m from south to north; at 30° north 96 m from west to east."""
AT_HOME = (
    "noise.",
    "light.",
    "radiation",
    "air.cooking_fume",
    "air.odor",
    "water.drinking_source",
    "city.other",
)
"""How the categories begin whose place tends to be where somebody lives."""
CROWD = 3
"""So many different people hide one home; fewer cases tell nothing of a department either."""
NOWHERE = "未定位到区"


@dataclass(frozen=True)
class Dot:
    """A cell of the map (its middle, WGS 84 degrees) and what was reported there by category."""

    latitude: float
    longitude: float
    reports: int
    categories: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DepartmentFigures:
    """How a department worked. Hours and share are None where too few cases tell.

    ``median_hours``: from filing to the last handling. ``in_time``: of everything that was
    handled or should have been, the share handled within its limit (0–1).
    """

    name: str
    handled: int
    overdue: int
    median_hours: float | None
    in_time: float | None


@dataclass(frozen=True)
class Figures:
    """The public figures of ``days`` up to ``until``; ``districts`` and ``categories`` by count."""

    days: int
    until: datetime
    reported: int
    handled: int
    districts: tuple[Tally, ...]
    categories: tuple[Tally, ...]
    departments: tuple[DepartmentFigures, ...]
    dots: tuple[Dot, ...]


@dataclass
class _Work:
    """What is gathered of one department."""

    hours: list[float] = field(default_factory=list)
    timely: int = 0
    overdue: int = 0


def city_figures(session: Session, categories: Categories, now: datetime, days: int) -> Figures:
    """Count what was reported and handled within the last ``days`` days up to ``now``."""
    since = now - timedelta(days=days)
    by_category = tallies(session, "category", since)
    by_district = tallies(session, "district", since)
    return Figures(
        days=days,
        until=now,
        reported=sum(tally.reported for tally in by_category),
        handled=sum(tally.handled for tally in by_category),
        districts=tuple(_named(tally, tally.name or NOWHERE) for tally in by_district),
        categories=tuple(
            _named(tally, _category_name(categories, tally.name or "")) for tally in by_category
        ),
        departments=_departments(session, categories, now, since),
        dots=_dots(cell_tallies(session, since, CELL_DEGREES), categories),
    )


def is_shown(cell: CellTally) -> bool:
    """Tell whether the reports of a cell may be shown as a dot."""
    return cell.citizens >= CROWD or not cell.category.startswith(AT_HOME)


def _named(tally: Tally, name: str) -> Tally:
    return Tally(name, tally.reported, tally.handled)


def _category_name(categories: Categories, code: str) -> str:
    category = categories.get(code)
    return category.name if category else code


def _dots(cells: list[CellTally], categories: Categories) -> tuple[Dot, ...]:
    places: dict[tuple[int, int], list[CellTally]] = defaultdict(list)
    for cell in cells:
        if is_shown(cell):
            places[cell.row, cell.column].append(cell)
    dots = [
        Dot(
            latitude=round(row * CELL_DEGREES, 3),
            longitude=round(column * CELL_DEGREES, 3),
            reports=sum(cell.reports for cell in found),
            categories=tuple(
                (_category_name(categories, cell.category), cell.reports) for cell in found
            ),
        )
        for (row, column), found in places.items()
    ]
    return tuple(sorted(dots, key=lambda dot: -dot.reports))


def _departments(
    session: Session, categories: Categories, now: datetime, since: datetime
) -> tuple[DepartmentFigures, ...]:
    works: dict[str, _Work] = defaultdict(_Work)
    for ticket, at in handled_since(session, since):
        category = categories.get(ticket.category)
        if category is None:
            continue
        work = works[ticket.department]
        work.hours.append((at - ticket.created_at).total_seconds() / 3600)
        work.timely += at <= limits(ticket, category).resolve
    for ticket in open_since(session, since):
        category = categories.get(ticket.category)
        if category is not None and now > limits(ticket, category).resolve:
            works[ticket.department].overdue += 1
    figures = [_figures(name, work) for name, work in works.items()]
    return tuple(sorted(figures, key=lambda one: (-one.handled, one.name)))


def _figures(name: str, work: _Work) -> DepartmentFigures:
    handled = len(work.hours)
    judged = handled + work.overdue
    return DepartmentFigures(
        name=name,
        handled=handled,
        overdue=work.overdue,
        median_hours=round(median(work.hours), 1) if handled >= CROWD else None,
        in_time=round(work.timely / judged, 3) if judged >= CROWD else None,
    )
