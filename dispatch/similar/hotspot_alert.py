"""What a sub-district office reads of a hot spot: counted facts, no personal data."""

from __future__ import annotations

from collections.abc import Sequence

from base.calendar import CITY_TIME
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.classification.categories import Category
from store.models import Ticket

LISTED = 60
"""Complaints listed by number; an Open311 description holds 4000 characters."""


def office_of(street: str) -> str:
    """Return the office of a sub-district (街道办事处) or town (镇人民政府)."""
    if street.endswith(("镇", "乡")):
        return f"{street}人民政府"
    return f"{street}办事处"


def alert_text(  # noqa: PLR0913
    office: str,
    category: Category,
    place: str,
    complaints: Sequence[Ticket],
    people: int,
    earlier: Ticket | None,
) -> str:
    """Return the words of a warning.

    Args:
        office: whom it is for.
        category: of the complaints.
        place: the public name of the middle of the hot spot.
        complaints: with their followers, oldest first.
        people: how many different people reported.
        earlier: the warning given before, when the hot spot has grown.
    """
    first = min(ticket.created_at for ticket in complaints).astimezone(CITY_TIME)
    last = max(ticket.created_at for ticket in complaints).astimezone(CITY_TIME)
    head = (
        f"【热点预警】请{office}现场核查。\n"
        f"{place}一带，{first:%m月%d日}至{last:%m月%d日}共有{people}位市民反映“{category.name}”，"
        f"涉及工单{len(complaints)}件。"
    )
    if earlier is not None:
        known = earlier.external_id or earlier.id
        head += f"\n这个热点此前已预警（{known}），反映人数已翻倍。"
    lines = [_line(ticket) for ticket in complaints[-LISTED:]]
    if len(complaints) > LISTED:
        lines.insert(0, f"（更早的{len(complaints) - LISTED}件从略）")
    return "\n".join([head, "工单清单：", *lines])


def _line(ticket: Ticket) -> str:
    moment = ticket.created_at.astimezone(CITY_TIME)
    desk = f"，派单号 {ticket.external_id}" if ticket.external_id else ""
    joined = f"，另有{len(ticket.followers)}人关注" if ticket.followers else ""
    return f"· {moment:%m-%d} {ticket.id}{desk}，{STATUS_NAMES[ticket.status]}{joined}"
