"""How well hot spots are found, beside a grid and a plain radius.

    python -m benchmarks.hotspots.evaluate [dev]

Streams of ``streams.py`` are played report by report to the product's clustering
(``dispatch.similar.hotspots.cluster_of`` with its own reach, box and window) and to

* ``grid``: reports in the cell of a fixed grid, its side twice the reach,
* ``radius``: reports within the reach of the new one,
* ``wide radius``: within twice the reach.

An alarm is right when most of its reports are of one planted cause that is a hot spot by
definition (fifteen people in seven days) and nobody warned of it yet. An alarm for anything
else is wrong; ``14+`` of the wrong ones are near misses: fourteen people of one cause and
somebody who reported something else beside them, fifteen people by the letter. After an alarm
a place is quiet as long as reports keep coming.

``late`` is how many reports of the cause came after the fifteenth before the alarm, on
average; an alarm can come early when unrelated reports help to fifteen.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from shapely import Point

from base.settings import get_settings
from benchmarks.hotspots.streams import SCENARIOS, Incident, Stream, make_stream
from dispatch.classification.categories import load_categories
from dispatch.places.atlas import Atlas
from dispatch.similar.hotspots import BOX_REACHES, PEOPLE, WINDOW, cluster_of, reach_metres
from store.nearby import Report

SEEDS = {"dev": range(100, 105), "test": range(1900, 1905)}
Points = npt.NDArray[np.float64]
Method = Callable[[Stream, Points, float], Points]
"""Given a stream, the positions (in it) of the reports of the last seven days that lie in the
product's box around the newest, which comes last, and the reach: the positions that belong
together with the newest."""


@dataclass
class Tally:
    """Counts over streams."""

    right: int = 0
    wrong: int = 0
    near_misses: int = 0
    hot: int = 0
    late: list[int] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of alarms that were right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Share of hot spots that were warned of."""
        return self.right / max(1, self.hot)


def shimin(atlas: Atlas) -> Method:
    """Return the product's clustering."""

    def cluster(stream: Stream, near: Points, reach: float) -> Points:
        reports = [_report(atlas, stream.incidents[i], i) for i in near]
        found = cluster_of(reports, reports[-1].latitude, reports[-1].longitude, reach)
        return np.array([int(name) for name in found.ticket_ids] if found else [], dtype=int)

    return cluster


def grid(stream: Stream, near: Points, reach: float) -> Points:
    """Return the reports in the cell of the newest."""
    cells = np.floor(stream.points[near] / (2 * reach))
    return near[np.all(cells == cells[-1], axis=1)]


def radius(times: float) -> Method:
    """Return the count of reports within so many reaches of the newest."""

    def count(stream: Stream, near: Points, reach: float) -> Points:
        away = stream.points[near] - stream.points[near[-1]]
        return near[np.hypot(*away.T) <= times * reach]

    return count


def play(stream: Stream, method: Method, reach: float, tally: Tally) -> None:
    """Play a stream to a method and count its alarms."""
    alarm_of: dict[int, int] = {}  # position -> alarm
    last: list[datetime] = []
    warned: set[int] = set()
    moments = np.array([one.at.timestamp() for one in stream.incidents])
    for position, new in enumerate(stream.incidents):
        first = int(np.searchsorted(moments, moments[position] - WINDOW.total_seconds()))
        away = np.abs(stream.points[first : position + 1] - stream.points[position])
        near = first + np.flatnonzero(np.all(away <= BOX_REACHES * reach, axis=1))
        found = [int(i) for i in method(stream, near, reach)]
        known = next((alarm_of[i] for i in found if i in alarm_of), None)
        if known is not None and new.at - last[known] <= WINDOW:
            alarm_of.update(dict.fromkeys(found, known))
            last[known] = new.at
        elif len({stream.incidents[i].citizen for i in found}) >= PEOPLE:
            alarm_of.update(dict.fromkeys(found, len(last)))
            last.append(new.at)
            _count(stream, [stream.incidents[i] for i in found], position, warned, tally)
    tally.hot += len(stream.hot)


def _count(
    stream: Stream, found: list[Incident], position: int, warned: set[int], tally: Tally
) -> None:
    cause, share = Counter(one.cause for one in found).most_common(1)[0]
    if cause is None or cause not in stream.hot or cause in warned or share * 2 < len(found):
        tally.wrong += 1
        own = {one.citizen for one in found if one.cause == cause}
        tally.near_misses += cause is not None and len(own) == PEOPLE - 1
        return
    warned.add(cause)
    tally.right += 1
    own = [i for i, one in enumerate(stream.incidents) if one.cause == cause]
    tally.late.append(
        own.index(max(i for i in own if i <= position)) - own.index(stream.hot[cause])
    )


def _report(atlas: Atlas, incident: Incident, position: int) -> Report:
    """Return an incident as the store would give it; the ticket's name is the position."""
    place = atlas.degrees(Point(incident.east, incident.north))
    return Report(str(position), incident.citizen, incident.at, *place)


def main(which: str) -> None:
    """Print the table."""
    settings = get_settings()
    atlas = Atlas.load(settings.city_dir)
    categories = load_categories(settings.categories_file)
    methods: dict[str, Method] = {
        "grid": grid,
        "radius": radius(1.0),
        "wide radius": radius(2.0),
        "shimin": shimin(atlas),
    }
    total = {name: Tally() for name in methods}
    print(f"{'scenario':<26} {'method':<12} hot  alarms  wrong  14+  precision  recall  late")
    for scenario in SCENARIOS:
        reach = reach_metres(categories[scenario.category])
        streams = [make_stream(atlas, scenario, reach, seed) for seed in SEEDS[which]]
        for name, method in methods.items():
            tally = Tally()
            for stream in streams:
                play(stream, method, reach, tally)
            _print(scenario.name, name, tally)
            total[name].right += tally.right
            total[name].wrong += tally.wrong
            total[name].near_misses += tally.near_misses
            total[name].hot += tally.hot
            total[name].late += tally.late
    for name, tally in total.items():
        _print("all", name, tally)


def _print(scenario: str, name: str, tally: Tally) -> None:
    late = sum(tally.late) / max(1, len(tally.late))
    print(
        f"{scenario:<26} {name:<12} {tally.hot:3d}  {tally.right + tally.wrong:6d}"
        f"  {tally.wrong:5d}  {tally.near_misses:3d}"
        f"  {tally.precision:9.3f}  {tally.recall:6.3f}  {late:+.2f}"
    )


if __name__ == "__main__":
    main("dev" if "dev" in sys.argv else "test")
