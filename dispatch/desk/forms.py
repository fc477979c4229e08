"""Form fields and query parameters of the GeoReport API, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from dispatch.desk.api_errors import ApiError
from dispatch.open311.models import MAX_DESCRIPTION_CHARS, valid_coordinates
from dispatch.open311.reader import parse_time
from dispatch.open311.writer import plain

MAX_SPAN = timedelta(days=90)
"""GeoReport v2: start_date to end_date "may not span more than 90 days"."""
MAX_PAGE_SIZE = 1000
"""GeoReport v2: "first 1000 requests returned"."""
MAX_MEDIA = 20
MAX_ATTRIBUTES = 50

_ATTRIBUTE = re.compile(r"^attribute\[([^\]]{1,100})\](\[\])?$")
_CONTACT = {"first_name": 50, "last_name": 50, "phone": 30, "email": 200}
_PLACE_FIELDS = ("lat", "long", "address_string", "address_id")
_MAX_KEY_CHARS = 200
_WORDLESS = frozenset({"WITHDRAWN", "CLOSED"})
"""Steps of a citizen that need no words."""

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class NewRequest:
    """A checked ``POST /requests``."""

    service_code: str
    latitude: float | None
    longitude: float | None
    address: str | None
    address_id: str | None
    description: str
    media_urls: tuple[str, ...]
    attributes: dict[str, list[str]]
    contact: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class NewUpdate:
    """A checked ``POST /servicerequestupdates``."""

    service_request_id: str
    client_update_id: str | None
    status: str
    description: str
    media_urls: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """A checked ``GET /requests``."""

    request_ids: tuple[str, ...] = ()
    service_codes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    page: int = 1
    page_size: int = MAX_PAGE_SIZE


def parse_request(fields: Fields) -> NewRequest:
    """Check the fields of a new request.

    Raises:
        ApiError: 400 naming every missing or malformed field.
    """
    problems: list[str] = []
    code = _one(fields, "service_code", 64)
    if code is None:
        problems.append("service_code was not provided")
    latitude, longitude = _place(fields, problems)
    address = _one(fields, "address_string", 500)
    address_id = _one(fields, "address_id", 100)
    if not any(_one(fields, name, 500) for name in _PLACE_FIELDS):
        problems.append("one of lat and long, address_string, address_id must be provided")
    description = _one(fields, "description", None) or ""
    if len(description) > MAX_DESCRIPTION_CHARS:
        problems.append(f"description is longer than {MAX_DESCRIPTION_CHARS} characters")
    media = _media(fields, problems)
    attributes = _attributes(fields, problems)
    contact = {
        name: value for name, limit in _CONTACT.items() if (value := _one(fields, name, limit))
    }
    if problems or code is None:
        raise ApiError(400, *problems)
    return NewRequest(
        code, latitude, longitude, address, address_id, description, media, attributes, contact
    )


def parse_update(fields: Fields, files: int = 0) -> NewUpdate:
    """Check the fields of a citizen's update that comes with this many ``files``.

    Raises:
        ApiError: 400 naming every missing or malformed field.
    """
    problems: list[str] = []
    request_id = _one(fields, "service_request_id", 64)
    if request_id is None:
        problems.append("service_request_id was not provided")
    description = _one(fields, "description", None) or ""
    if len(description) > MAX_DESCRIPTION_CHARS:
        problems.append(f"description is longer than {MAX_DESCRIPTION_CHARS} characters")
    moment = _one(fields, "updated_datetime", 64)
    if moment is not None and parse_time(moment) is None:
        problems.append("updated_datetime is not a W3C date-time")
    media = _media(fields, problems)
    status = (_one(fields, "status", 32) or "OPEN").upper()
    if not (description or media or files) and status not in _WORDLESS:
        problems.append("description was not provided")
    if problems or request_id is None:
        raise ApiError(400, *problems)
    client_id = _one(fields, "update_id", _MAX_KEY_CHARS)
    return NewUpdate(request_id, client_id, status, description, media)


def parse_listing(query: Fields, now: datetime) -> Listing:
    """Check the filters of a listing; without dates it covers the last 90 days.

    Raises:
        ApiError: 400 for a malformed filter or a span over 90 days.
    """
    ids = _list(query, "service_request_id")
    if ids:
        return Listing(request_ids=ids[:MAX_PAGE_SIZE])
    statuses = tuple(status.lower() for status in _list(query, "status"))
    if not set(statuses) <= {"open", "closed"}:
        raise ApiError(400, "status must be open or closed")
    after, before = _date(query, "updated_after"), _date(query, "updated_before")
    start: datetime | None = None
    end: datetime | None = None
    # Asked by its last change, an old request counts too.
    if not (after or before) or query.get("start_date") or query.get("end_date"):
        start, end = parse_span(query, now)
    return Listing(
        service_codes=_list(query, "service_code"),
        statuses=statuses,
        start=start,
        end=end,
        updated_after=after,
        updated_before=before,
        page=_integer(query, "page", 1, 1, 1_000_000),
        page_size=_integer(query, "page_size", MAX_PAGE_SIZE, 1, MAX_PAGE_SIZE),
    )


def parse_span(query: Fields, now: datetime) -> tuple[datetime, datetime]:
    """Read ``start_date`` and ``end_date`` (inclusive); a missing one is 90 days from the other.

    Raises:
        ApiError: 400 for a malformed date or a span over 90 days.
    """
    start, end = _date(query, "start_date"), _date(query, "end_date")
    try:
        if start is None:
            end = end or now
            start = end - MAX_SPAN
        elif end is None:
            end = start + MAX_SPAN
    except OverflowError as error:
        raise ApiError(400, "date out of range") from error
    if end - start > MAX_SPAN:
        raise ApiError(400, "start_date to end_date may not span more than 90 days")
    return start, end


def parse_update_span(query: Fields, now: datetime) -> tuple[datetime, datetime]:
    """Read the span of an update listing, by default the last 90 days; it may be longer.

    Raises:
        ApiError: 400 for a malformed date.
    """
    start, end = _date(query, "start_date"), _date(query, "end_date")
    return start or now - MAX_SPAN, end or now


def idempotency_key(header: str | None) -> str | None:
    """Check an ``Idempotency-Key`` header.

    Raises:
        ApiError: 400 when it is longer than 200 characters.
    """
    if header is None or not header.strip():
        return None
    if len(header) > _MAX_KEY_CHARS:
        raise ApiError(400, f"Idempotency-Key is longer than {_MAX_KEY_CHARS} characters")
    return header.strip()


def _one(fields: Fields, name: str, limit: int | None) -> str | None:
    values = fields.get(name)
    if not values:
        return None
    value = plain(values[0]).strip()
    if limit is not None and len(value) > limit:
        raise ApiError(400, f"{name} is longer than {limit} characters")
    return value or None


def _list(fields: Fields, name: str) -> tuple[str, ...]:
    return tuple(
        part.strip() for value in fields.get(name, ()) for part in value.split(",") if part.strip()
    )


def _place(fields: Fields, problems: list[str]) -> tuple[float | None, float | None]:
    latitude, longitude = _one(fields, "lat", 40), _one(fields, "long", 40)
    if latitude is None and longitude is None:
        return None, None
    try:
        if latitude is None or longitude is None:
            raise ValueError
        place = float(latitude), float(longitude)
    except ValueError:
        problems.append("lat and long must both be numbers")
        return None, None
    if not valid_coordinates(*place):
        problems.append("lat and long are not WGS 84 degrees")
        return None, None
    return place


def _media(fields: Fields, problems: list[str]) -> tuple[str, ...]:
    urls = tuple(url.strip() for url in fields.get("media_url", ()) if url.strip())
    if len(urls) > MAX_MEDIA:
        problems.append(f"more than {MAX_MEDIA} media_url")
    for url in urls[:MAX_MEDIA]:
        if not _is_web_address(url):
            problems.append("media_url must be an http or https URL")
            break
    return urls


def _is_web_address(url: str) -> bool:
    if len(url) > 2000 or plain(url) != url or any(part.isspace() for part in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _attributes(fields: Fields, problems: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, values in fields.items():
        match = _ATTRIBUTE.match(name)
        if match:
            found.setdefault(match.group(1), []).extend(plain(value)[:1000] for value in values)
    if len(found) > MAX_ATTRIBUTES:
        problems.append(f"more than {MAX_ATTRIBUTES} attributes")
    return found


def _date(query: Fields, name: str) -> datetime | None:
    text = _one(query, name, 64)
    if text is None:
        return None
    # An unescaped "+" of the offset arrives as a space.
    moment = parse_time(re.sub(r" (\d{2}:?\d{2})$", r"+\1", text) if "T" in text else text)
    if moment is None:
        raise ApiError(400, f"{name} is not a W3C date-time")
    return moment.astimezone(UTC)


def _integer(query: Fields, name: str, default: int, low: int, high: int) -> int:
    text = _one(query, name, 20)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise ApiError(400, f"{name} must be a whole number from {low} to {high}")
    return int(text)
