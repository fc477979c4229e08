"""Generated streams of reports with planted bursts, for measuring hot-spot detection.

Shaped like a city's: reports follow the day and the week, crowd around popular places and
along roads, and most belong to nothing. Into each stream are planted bursts (one cause,
fifteen people or more within seven days) and near misses (up to fourteen, or more in longer
than seven days). Seeds are fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
from shapely import Point

from dispatch.places.atlas import Atlas
from dispatch.similar.hotspots import PEOPLE, WINDOW

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAYS = 28
HOURLY = np.array([1, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 7, 6, 6, 7, 7, 7, 8, 9, 10, 9, 7, 4, 2])
WEEKDAY = np.array([1.1, 1.0, 1.0, 1.0, 1.1, 0.9, 0.8])
GPS_METRES = 15.0


@dataclass(frozen=True)
class Scenario:
    """What is planted into a city: reports a week of background, and where they crowd."""

    name: str
    category: str
    weekly: int
    popular: float = 0.0
    along_roads: float = 0.0


SCENARIOS = (
    Scenario("quiet, garbage", "waste.garbage", weekly=60),
    Scenario("busy, garbage", "waste.garbage", weekly=250),
    Scenario("popular places, garbage", "waste.garbage", weekly=200, popular=0.5),
    Scenario("along roads, lamps", "city.other", weekly=200, along_roads=0.7),
    Scenario("busy, construction noise", "noise.construction", weekly=120),
    Scenario("popular and roads, odour", "air.odor", weekly=100, popular=0.3, along_roads=0.3),
)


@dataclass(frozen=True)
class Incident:
    """One report: by whom, when, where (metres on the map), and of which planted cause."""

    citizen: str
    at: datetime
    east: float
    north: float
    cause: int | None


@dataclass
class Stream:
    """Reports in order of time; ``hot`` are the causes that are hot spots by definition."""

    scenario: Scenario
    incidents: list[Incident] = field(default_factory=list)
    hot: dict[int, int] = field(default_factory=dict)
    """Cause -> position in ``incidents`` of its fifteenth report within seven days."""

    @cached_property
    def points(self) -> npt.NDArray[np.float64]:
        """Metres on the map, ``(len(incidents), 2)``."""
        return np.array([(one.east, one.north) for one in self.incidents])


def make_stream(atlas: Atlas, scenario: Scenario, reach: float, seed: int) -> Stream:
    """Return a stream of :data:`DAYS` days; the same seed gives the same stream.

    Args:
        atlas: the city.
        scenario: what it is like.
        reach: how far reports of one cause may lie apart (metres), by its category.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    stream = Stream(scenario)
    homes = [atlas.point(place.latitude, place.longitude) for place in atlas.places]
    stream.incidents += _background(atlas, scenario, homes, random)
    causes = _plans(random)
    middles: list[Point] = []
    for cause, (people, days) in enumerate(causes):
        middle = _free_middle(homes, middles, reach, random)
        middles.append(middle)
        stream.incidents += _burst(cause, people, days, middle, reach, random)
    stream.incidents.sort(key=lambda incident: incident.at)
    for cause in range(len(causes)):
        reached = _fifteenth(stream.incidents, cause)
        if reached is not None:
            stream.hot[cause] = reached
    return stream


def _plans(random: np.random.Generator) -> list[tuple[int, float]]:
    """Return people and days of each planted cause: real bursts, then near misses."""
    real = [(int(random.integers(PEOPLE, 60)), float(random.uniform(0.2, 6.5))) for _ in range(8)]
    few = [(int(random.integers(8, PEOPLE)), float(random.uniform(0.5, 6.5))) for _ in range(6)]
    exact = [(PEOPLE - 1, float(random.uniform(0.5, 6.5))) for _ in range(3)]
    slow = [(int(random.integers(PEOPLE, 22)), float(random.uniform(18, 26))) for _ in range(3)]
    return real + few + exact + slow


def _background(
    atlas: Atlas, scenario: Scenario, homes: list[Point], random: np.random.Generator
) -> list[Incident]:
    """Reports of their own, each about something else."""
    count = int(random.poisson(scenario.weekly * DAYS / 7))
    courses = [atlas.course(road) for road in atlas.roads]
    west, south, east, north = atlas.outline.bounds
    crowds = [homes[i] for i in random.choice(len(homes), 25, replace=False)]
    found = []
    for number in range(count):
        share = random.random()
        if share < scenario.popular:
            point, spread = crowds[int(random.integers(len(crowds)))], 250.0
        elif share < scenario.popular + scenario.along_roads:
            course = courses[int(random.integers(len(courses)))]
            point, spread = course.interpolate(random.random(), normalized=True), 15.0
        elif share < 0.95:
            point, spread = homes[int(random.integers(len(homes)))], 400.0
        else:
            point = Point(random.uniform(west, east), random.uniform(south, north))
            spread = 0.0
        away = random.normal(0, spread + GPS_METRES, 2)
        at = _moment(START, float(DAYS), random)
        found.append(Incident(f"b{number}", at, point.x + away[0], point.y + away[1], None))
    return found


def _burst(  # noqa: PLR0913
    cause: int,
    people: int,
    days: float,
    middle: Point,
    reach: float,
    random: np.random.Generator,
) -> list[Incident]:
    """Reports of one cause, scattered as far as such a cause is noticed."""
    spread = random.uniform(0.1, 0.55) * reach
    begin = START + timedelta(days=float(random.uniform(0, DAYS - days)))
    found = []
    for number in range(people):
        away = random.normal(0, math.hypot(spread, GPS_METRES), 2)
        at = _moment(begin, days, random)
        name = f"c{cause}-{number}"
        found.append(Incident(name, at, middle.x + away[0], middle.y + away[1], cause))
        if random.random() < 0.15:  # some report twice: still one person
            again = at + timedelta(hours=float(random.uniform(1, 24)))
            found.append(Incident(name, again, middle.x + away[0], middle.y + away[1], cause))
    return found


def _moment(begin: datetime, days: float, random: np.random.Generator) -> datetime:
    """Draw a moment by the rhythm of day and week."""
    while True:
        at = begin + timedelta(days=float(random.uniform(0, days)))
        chance = HOURLY[at.hour] / HOURLY.max() * WEEKDAY[at.weekday()] / WEEKDAY.max()
        if random.random() < chance:
            return at


def _free_middle(
    homes: list[Point], taken: list[Point], reach: float, random: np.random.Generator
) -> Point:
    """Draw a place for a cause, well away from the other causes."""
    while True:
        home = homes[int(random.integers(len(homes)))]
        middle = Point(home.x + random.normal(0, 80), home.y + random.normal(0, 80))
        if all(middle.distance(other) > 8 * reach for other in taken):
            return middle


def _fifteenth(incidents: list[Incident], cause: int) -> int | None:
    """Return when a cause had been reported by fifteen people within seven days, if ever."""
    own = [(i, one) for i, one in enumerate(incidents) if one.cause == cause]
    for end, (position, last) in enumerate(own):
        window = {one.citizen for _, one in own[: end + 1] if last.at - one.at <= WINDOW}
        if len(window) >= PEOPLE:
            return position
    return None
