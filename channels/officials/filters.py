"""What a dispatcher narrows the complaints by: the query of an address, read leniently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from base.calendar import CITY_TIME
from dispatch.case.deadlines import late_kinds
from dispatch.case.lifecycle import BEING_HANDLED, STAGES
from dispatch.classification.categories import Categories
from store.complaints import ORDERS, Order, Wanted

ORDER_NAMES: dict[Order, str] = {
    "newest": "最新提交",
    "oldest": "最早提交",
    "changed": "最近有进展",
}
_LONGEST_NUMBER = 40
_NUMBER = re.compile(r"[0-9A-Za-z_-]+")


@dataclass(frozen=True)
class Filters:
    """Choices of the form as they stand in the address; what is not understood is left out."""

    stage: str = ""
    category: str = ""
    district: str = ""
    number: str = ""
    since: str = ""
    until: str = ""
    late: str = ""
    urgent: str = ""
    hotspot: str = ""
    order: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], categories: Categories) -> Filters:
        """Read a query or a form."""
        given = {field.name: query.get(field.name, "").strip() for field in fields(cls)}
        number = given["number"][:_LONGEST_NUMBER]
        return cls(
            stage=given["stage"] if given["stage"] in STAGES else "",
            category=given["category"] if given["category"] in categories else "",
            district=given["district"][:40],
            number=number if _NUMBER.fullmatch(number) else "",
            since=_day(given["since"]),
            until=_day(given["until"]),
            late="1" if given["late"] else "",
            urgent="1" if given["urgent"] else "",
            hotspot=given["hotspot"] if re.fullmatch(r"[1-9]\d{0,8}", given["hotspot"]) else "",
            order=given["order"] if given["order"] in ORDERS else "",
        )

    @property
    def chosen(self) -> dict[str, str]:
        """The choices that narrow or sort."""
        found = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in found if value}

    @property
    def sorting(self) -> Order:
        """The order of the list."""
        return next((order for order in ORDERS if order == self.order), ORDERS[0])

    def address(self, path: str, **more: object) -> str:
        """Return ``path`` with these choices and some more as its query."""
        query = urlencode({**self.chosen, **more})
        return f"{path}?{query}" if query else path

    def wanted(self, session: Session, categories: Categories, now: datetime) -> Wanted:
        """Return the same as a search of the store."""
        until = _start(self.until)
        return Wanted(
            statuses=STAGES.get(self.stage, ()),
            category=self.category,
            district=self.district,
            number=self.number,
            since=_start(self.since),
            before=until + timedelta(days=1) if until else None,
            urgent=bool(self.urgent),
            late=late_kinds(session, categories, now) if self.late else None,
            at_work=BEING_HANDLED,
            hot_spot=int(self.hotspot) if self.hotspot else None,
        )


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 2000 <= day.year <= 2999 else ""


def _start(day: str) -> datetime | None:
    if not day:
        return None
    return datetime.combine(date.fromisoformat(day), time(), tzinfo=CITY_TIME)
