"""Hot spots (热点): fifteen people report one kind of problem around one place in seven days.

The reports of a category near a new one are clustered by density (DBSCAN, metres). A cluster
of :data:`PEOPLE` different people becomes a hot spot, and the sub-district gets a warning: a
work order of its own that travels through the outbox like any complaint. The hot spot then
grows; it is warned of again when its people have doubled, or when it comes back after seven
quiet days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog
from sklearn.cluster import DBSCAN
from sqlalchemy.orm import Session

from dispatch.classification.categories import Categories, Category
from dispatch.places.atlas import METRES_PER_DEGREE
from dispatch.places.gazetteer import Gazetteer
from dispatch.similar.hotspot_alert import alert_text, office_of
from dispatch.similar.joining import people
from store.database import unit_of_work
from store.models import HotSpot, Ticket, plain
from store.nearby import (
    Report,
    box_around,
    hot_spots_of,
    keep_report,
    reported_between,
    reports_in,
    tickets_of_hot_spot,
)
from store.people import citizen
from store.tickets import add_event, by_id, city_day, new_ticket_id, queue_outbox

log = structlog.get_logger(__name__)

PEOPLE = 15
"""So many different people make a hot spot."""
WINDOW = timedelta(days=7)
"""Within so much time; a hot spot without a report for as long is over."""
GROWTH = 2
"""A hot spot is warned of again when so many times the people have reported it."""
CORE = 4
"""People within one reach that make a point dense (``min_samples`` of DBSCAN)."""
LEAST_METRES = 120
"""Reach of kinds that are seen at one spot: a heap of garbage moves along a street."""
WIDEST = 1.25
"""A cluster may stretch so many reaches from its middle; the rest of a longer chain of reports
(a whole road) is not around one place and does not count. Chosen on the streams of
``benchmarks/hotspots`` with the development seeds."""
TRIM = 2.6
"""Reports farther from the middle than so many times the median distance are somebody else's
problem: a bivariate normal scatter has 99 % of its points within 2.6 median distances."""
TRIM_METRES = 40.0
"""No report nearer than this is trimmed; a phone's position errs as much among houses."""
BOX_REACHES = 6
"""Reports farther than so many reaches from a new one are not looked at."""
OVERLAP = timedelta(minutes=2)
"""A report may become visible this long after the moment it bears."""
BATCH = 200
REPORTER = "system:hotspot"

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cluster:
    """Reports around one place; ``middle`` in degrees (latitude, longitude)."""

    reports: tuple[Report, ...]
    middle: tuple[float, float]

    @property
    def people(self) -> int:
        """How many different people reported."""
        return len({report.citizen_id for report in self.reports})

    @property
    def ticket_ids(self) -> tuple[str, ...]:
        """The complaints, each once."""
        return tuple(dict.fromkeys(report.ticket_id for report in self.reports))


def reach_metres(category: Category) -> float:
    """Return how near two reports of a category must lie to belong together, metres."""
    return float(max(category.duplicate_metres, LEAST_METRES))


def cluster_of(
    reports: Sequence[Report], latitude: float, longitude: float, reach: float
) -> Cluster | None:
    """Return the cluster of reports that a point belongs to, None when it is alone.

    Args:
        reports: of one category within the window; those of one person count once each.
        latitude: of the point, degrees.
        longitude: of the point, degrees.
        reach: how near two reports must lie to belong together, metres.
    """
    if not reports:
        return None
    points = _local(reports, latitude, longitude)
    # for few points the tree beats the default, which sets threads up for each call
    labels = DBSCAN(eps=reach, min_samples=CORE, algorithm="kd_tree").fit_predict(points)
    nearest = int(np.argmin(np.hypot(points[:, 0], points[:, 1])))
    if labels[nearest] < 0:
        return None
    members = np.flatnonzero(labels == labels[nearest])
    middle = np.median(points[members], axis=0)
    spread = np.hypot(*(points[members] - middle).T)
    scatter = max(TRIM_METRES, TRIM * float(np.median(spread)))
    kept = members[spread <= min(WIDEST * reach, scatter)]
    if not len(kept):
        return None
    return Cluster(
        reports=tuple(reports[i] for i in kept),
        middle=_degrees(middle, latitude, longitude),
    )


class HotSpots:
    """Watches for hot spots in one city."""

    def __init__(self, city_dir: Path, categories: Categories) -> None:
        self._city_dir = city_dir
        self._categories = categories
        self._upto: datetime | None = None
        self._seen: set[tuple[datetime, str]] = set()

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """The places of the city, loaded when the first hot spot needs them."""
        return Gazetteer.load(self._city_dir)

    def observe_new(self, now: datetime, limit: int = BATCH) -> int:
        """Observe what was filed or joined since the last call; return how many reports.

        The first call of a process looks back over the whole window, so that nothing is missed
        when a process dies. Each report is observed in a unit of work of its own.

        Raises:
            SQLAlchemyError: the store is away; the next call goes on where this one stopped.
        """
        after = self._upto - OVERLAP if self._upto else now - WINDOW
        with unit_of_work() as session:
            found = reported_between(session, after, now)
        fresh = [item for item in found if item not in self._seen][:limit]
        for moment, ticket_id in fresh:
            with unit_of_work() as session:
                ticket = by_id(session, ticket_id)
                if ticket is not None:
                    self.observe(session, ticket, now)
            self._seen.add((moment, ticket_id))
            self._upto = moment
        if len(fresh) < limit:
            self._upto = now
        if self._upto:
            self._seen = {item for item in self._seen if item[0] > self._upto - OVERLAP}
        return len(fresh)

    def observe(self, session: Session, ticket: Ticket, now: datetime) -> HotSpot | None:
        """Look at the surroundings of a complaint just filed or joined.

        Returns:
            The hot spot it belongs to, new or grown; None without one. Observing a complaint
            again changes nothing.
        """
        category = self._categories.get(ticket.category)
        if category is None or ticket.kind != "complaint" or ticket.status == "withdrawn":
            return None
        if ticket.latitude is None or ticket.longitude is None:
            return None
        if self.gazetteer.is_vague(ticket.latitude, ticket.longitude):
            return None  # "on that road" is not one place
        cluster = self._cluster(session, category, ticket.latitude, ticket.longitude, now)
        if cluster is None:
            return None
        known = hot_spots_of(session, category.code, cluster.ticket_ids, now - WINDOW)
        if known:
            return self._grow(session, known[0], category, cluster, now)
        if cluster.people < PEOPLE:
            return None
        return self._open(session, category, cluster, now)

    def _cluster(
        self,
        session: Session,
        category: Category,
        latitude: float,
        longitude: float,
        now: datetime,
    ) -> Cluster | None:
        reach = reach_metres(category)
        box = box_around(latitude, longitude, BOX_REACHES * reach / METRES_PER_DEGREE)
        reports = [
            report
            for report in reports_in(session, category.code, box, now - WINDOW)
            if not self.gazetteer.is_vague(report.latitude, report.longitude)
        ]
        return cluster_of(reports, latitude, longitude, reach)

    def _open(
        self, session: Session, category: Category, cluster: Cluster, now: datetime
    ) -> HotSpot:
        """Keep a new hot spot and warn of it, in the caller's transaction."""
        # whoever draws a number waits for whoever drew one before: look again after that
        alert_id = new_ticket_id(session, city_day(now))
        known = hot_spots_of(session, category.code, cluster.ticket_ids, now - WINDOW)
        if known:
            return self._grow(session, known[0], category, cluster, now)
        latitude, longitude = cluster.middle
        district, street = self.gazetteer.atlas.area_of(
            self.gazetteer.atlas.point(latitude, longitude)
        )
        spot = HotSpot(
            category=category.code,
            opened_at=now,
            last_report_at=max(report.at for report in cluster.reports),
            latitude=latitude,
            longitude=longitude,
            district=district.name,
            street=street.name,
        )
        session.add(spot)
        session.flush()
        for ticket_id in cluster.ticket_ids:
            keep_report(session, spot.id, ticket_id)
        self._warn(session, spot, category, alert_id, now)
        return spot

    def _grow(
        self,
        session: Session,
        spot: HotSpot,
        category: Category,
        cluster: Cluster,
        now: datetime,
    ) -> HotSpot:
        """Add reports to a hot spot; warn again when its people have doubled."""
        for ticket_id in cluster.ticket_ids:
            keep_report(session, spot.id, ticket_id)
        newest = max(report.at for report in cluster.reports)
        spot.last_report_at = max(spot.last_report_at, newest)
        session.flush()
        warned = by_id(session, spot.alert_id) if spot.alert_id else None
        who = everybody(tickets_of_hot_spot(session, spot.id))
        if warned is None or len(who) >= GROWTH * people_warned_of(warned):
            self._warn(session, spot, category, new_ticket_id(session, city_day(now)), now)
        return spot

    def _warn(
        self,
        session: Session,
        spot: HotSpot,
        category: Category,
        alert_id: str,
        now: datetime,
    ) -> None:
        """File the warning as a work order for the sub-district."""
        complaints = tickets_of_hot_spot(session, spot.id)
        earlier = by_id(session, spot.alert_id) if spot.alert_id else None
        count = len(everybody(complaints))
        office = office_of(spot.street or "")
        place = self._name(spot)
        citizen(session, REPORTER)
        alert = Ticket(
            id=alert_id,
            citizen_id=REPORTER,
            draft_id=alert_key(spot, count),
            kind="hot_spot",
            created_at=now,
            updated_at=now,
            status="draft",
            category=category.code,
            severity="urgent",
            department=office,
            district=spot.district,
            street=spot.street,
            latitude=spot.latitude,
            longitude=spot.longitude,
            address=plain(place),
            description=plain(alert_text(office, category, place, complaints, count, earlier)),
        )
        session.add(alert)
        session.flush()
        add_event(session, alert, "submitted", actor=REPORTER)
        queue_outbox(session, alert, "request", f"shimin-{alert_id}")
        spot.alert_id = alert_id
        log.warning(
            "hot_spot",
            hot_spot=spot.id,
            alert=alert_id,
            category=category.code,
            street=spot.street,
            people=count,
            complaints=len(complaints),
        )

    def _name(self, spot: HotSpot) -> str:
        """Return the public name of the middle of a hot spot."""
        if self.gazetteer.contains(spot.latitude, spot.longitude):
            return self.gazetteer.locate(spot.latitude, spot.longitude).address
        return f"{spot.district}{spot.street}"


def everybody(complaints: Iterable[Ticket]) -> frozenset[str]:
    """Return who reported any of the complaints."""
    return frozenset[str]().union(*(people(ticket) for ticket in complaints))


def alert_key(spot: HotSpot, count: int) -> str:
    """Return the key that makes a warning unique: the hot spot and how many people it told of."""
    return f"hotspot-{spot.id}-{count}"


def people_warned_of(alert: Ticket) -> int:
    """Return how many people a warning told of; see :func:`alert_key`."""
    return int(alert.draft_id.rpartition("-")[2])


def _local(reports: Sequence[Report], latitude: float, longitude: float) -> Points:
    """Project reports to metres east and north of a point; exact enough within kilometres."""
    degrees = np.array([(report.longitude, report.latitude) for report in reports])
    shrink = np.cos(np.radians(latitude))
    scale = np.array([METRES_PER_DEGREE * shrink, METRES_PER_DEGREE])
    return np.asarray((degrees - (longitude, latitude)) * scale, dtype=np.float64)


def _degrees(point: Points, latitude: float, longitude: float) -> tuple[float, float]:
    shrink = np.cos(np.radians(latitude))
    return (
        round(float(latitude + point[1] / METRES_PER_DEGREE), 5),
        round(float(longitude + point[0] / METRES_PER_DEGREE / shrink), 5),
    )
