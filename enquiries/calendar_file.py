"""An appointment as a calendar file to keep (iCalendar, RFC 5545), and the link to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from icalendar import Alarm, Calendar, Event, vCalAddress

from base.calendar import CITY_TIME
from base.links import address_is_valid, sign_link
from base.settings import Settings
from matcher.service import Hall, ServiceItem
from store.appointments import Appointment

__all__ = ["ALARMS", "calendar_file", "calendar_link", "calendar_url", "may_fetch"]

ALARMS = (timedelta(days=1), timedelta(hours=2))
"""How long before the beginning the calendar rings."""

LINK_DAYS = 60
"""A link outlives the two weeks that can be booked and a change of the time."""


def calendar_file(
    kept: Appointment, hall: Hall | None, item: ServiceItem | None, public_url: str
) -> bytes:
    """Return the file of one appointment in UTF-8.

    The UID stays when the time changes and SEQUENCE counts the changes, so that a calendar
    replaces the entry (3.8.4.7, 3.8.7.4); a cancelled one has ``METHOD:CANCEL``, which requires
    an ORGANIZER (RFC 5546, 3.2.5). DTSTAMP is the moment of the last change: the same
    appointment is always the same bytes.

    Args:
        kept: the appointment.
        hall: None when its file entry is gone.
        item: gives the materials; None when its file is gone.
        public_url: its host makes the UID unique in the world.
    """
    cancelled = kept.state == "cancelled"
    calendar = Calendar()
    calendar.add("prodid", "-//Shimin//appointments//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    calendar.add_component(_event(kept, hall, item, public_url, cancelled=cancelled))
    calendar.add_missing_timezones(first_date=kept.starts_at.astimezone(CITY_TIME).date())
    return bytes(calendar.to_ical())


def calendar_url(settings: Settings, kept: Appointment) -> str:
    """Return the signed public address of the file, good for sixty days after the visit."""
    return settings.public_url.rstrip("/") + calendar_link(settings, kept)


def calendar_link(settings: Settings, kept: Appointment) -> str:
    """Return path and query of :func:`calendar_url`."""
    expires = int((kept.starts_at + timedelta(days=LINK_DAYS)).timestamp())
    return sign_link(settings.session_key.get_secret_value(), _path(kept.token), expires)


def may_fetch(settings: Settings, token: str, expires: int, signature: str, now: datetime) -> bool:
    """Tell whether a link is one of ours and has not run out."""
    return address_is_valid(settings, _path(token), expires, signature, now)


def _path(token: str) -> str:
    return f"/appointments/{token}.ics"


def _event(
    kept: Appointment,
    hall: Hall | None,
    item: ServiceItem | None,
    public_url: str,
    *,
    cancelled: bool,
) -> Event:
    event = Event()
    event.add("uid", f"{kept.token}@{urlsplit(public_url).hostname or 'shimin'}")
    event.add("dtstamp", kept.changed_at)
    event.add("created", kept.created_at)
    event.add("last-modified", kept.changed_at)
    event.add("sequence", kept.sequence)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("dtstart", kept.starts_at.astimezone(CITY_TIME))
    event.add("dtend", kept.ends_at.astimezone(CITY_TIME))
    event.add("summary", f"{'已取消：' if cancelled else ''}去办{kept.service_name}")
    event.add("description", _description(kept, hall, item))
    event.add("organizer", _organizer(hall, public_url))
    if hall is not None:
        event.add("location", f"{hall.name}，{hall.address}")
        event.add("geo", (hall.lat, hall.lon))
    if not cancelled:
        for before in ALARMS:
            event.add_component(_alarm(before, kept))
    return event


def _organizer(hall: Hall | None, public_url: str) -> vCalAddress:
    organizer = vCalAddress(public_url)
    if hall is not None:
        organizer.params["cn"] = hall.name
    return organizer


def _alarm(before: timedelta, kept: Appointment) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -before)
    alarm.add("description", f"去办{kept.service_name}，预约号{kept.number}")
    return alarm


def _description(kept: Appointment, hall: Hall | None, item: ServiceItem | None) -> str:
    lines = [f"预约号：{kept.number}"]
    if item is not None:
        lines.append(f"要带：{'、'.join(m.name for m in item.materials if m.required) or '无'}")
    if hall is not None:
        lines.append(f"电话：{hall.phone}")
    return "\n".join(lines)
