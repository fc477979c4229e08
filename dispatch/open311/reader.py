"""Answers of real GeoReport servers to typed records: tolerant about shape, strict about sense.

Servers wrap lists differently (``[…]``, ``{"service_requests": […]}``, ``[{"request": {…}}]``,
a bare object), send numbers as text and text as numbers, and answer in the other format than
the one asked for. All of that is accepted; a record without its identity is not.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from dispatch.open311.errors import DispatchUnreadableError
from dispatch.open311.json_format import Node, read_json
from dispatch.open311.models import (
    AttributeValue,
    Created,
    Discovery,
    Endpoint,
    RequestAttribute,
    RequestNote,
    RequestUpdate,
    ServerError,
    Service,
    ServiceAttribute,
    ServiceDefinition,
    ServiceRequest,
    valid_coordinates,
)
from dispatch.open311.xml_format import read_xml

logger = logging.getLogger(__name__)

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China Standard Time, without daylight saving since 1991; assumed where a server names no zone."""

_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)

_MAX_WRAPPERS = 8

Record = dict[str, Node]


def read_tree(body: bytes, content_type: str = "") -> Node:
    """Read an answer by its first character, whatever format its header claims.

    Raises:
        DispatchUnreadableError: an HTML page, or neither JSON nor XML.
    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:512]
    if not start:
        return None
    if _HTML.search(start):
        raise DispatchUnreadableError("the answer is an HTML page")
    if start.startswith(b"<"):
        return read_xml(body.lstrip(b"\xef\xbb\xbf \t\r\n"))
    charset = _CHARSET.search(content_type)
    return read_json(body, charset.group(1) if charset else None)


def read_discovery(tree: Node) -> Discovery:
    """Read a service-discovery document; endpoints without a specification or URL are skipped.

    Raises:
        DispatchUnreadableError: it names no endpoint.
    """
    record = next(iter(_records(tree, "changeset", "contact", wrapping=("endpoints",))), {})
    endpoints = []
    for entry in _records(record.get("endpoints"), "specification", "url", strict=False):
        specification, url = _text(entry, "specification"), _text(entry, "url")
        if specification is None or url is None:
            continue
        endpoints.append(
            Endpoint(
                specification=specification,
                url=url,
                changeset=_text(entry, "changeset") or "",
                type=(_text(entry, "type") or "production").lower(),
                formats=_words(entry.get("formats")),
            )
        )
    if not endpoints:
        raise DispatchUnreadableError("no endpoint in the discovery document")
    return Discovery(
        changeset=_text(record, "changeset") or "",
        contact=_text(record, "contact") or "",
        key_service=_text(record, "key_service") or "",
        endpoints=tuple(endpoints),
    )


def read_services(tree: Node) -> tuple[Service, ...]:
    """Read ``GET /services``."""
    found = []
    for record in _records(tree, "service_code"):
        code = _text(record, "service_code")
        if code is None:
            continue
        found.append(
            Service(
                service_code=code,
                service_name=_text(record, "service_name") or code,
                description=_text(record, "description"),
                metadata=_flag(record, "metadata"),
                type=_text(record, "type") or "realtime",
                keywords=_words(record.get("keywords")),
                group=_text(record, "group"),
            )
        )
    return tuple(found)


def read_definition(tree: Node, service_code: str) -> ServiceDefinition:
    """Read ``GET /services/{code}``; ``service_code`` stands in when the answer omits it."""
    record = next(iter(_records(tree, "service_code", wrapping=("attributes",))), {})
    attributes = []
    for entry in _records(record.get("attributes"), "code", "variable", strict=False):
        code = _text(entry, "code")
        if code is None:
            continue
        values = _records(entry.get("values"), "key", "name", strict=False)
        attributes.append(
            ServiceAttribute(
                code=code,
                variable=_flag(entry, "variable", default=True),
                datatype=_text(entry, "datatype") or "string",
                required=_flag(entry, "required"),
                datatype_description=_text(entry, "datatype_description"),
                order=int(_number(entry, "order") or 0),
                description=_text(entry, "description"),
                values=tuple(_choice(value) for value in values),
            )
        )
    attributes.sort(key=lambda attribute: attribute.order)
    return ServiceDefinition(
        _text(record, "service_code") or service_code,
        tuple(attributes),
    )


def read_created(tree: Node) -> Created:
    """Read the answer to a filed request, or a token's answer.

    A server that sends both an id and a token has given the id: the token is dropped.

    Raises:
        DispatchUnreadableError: neither an id nor a token.
    """
    for record in _records(tree, "service_request_id", "token"):
        request_id = _text(record, "service_request_id")
        token = _text(record, "token")
        if request_id or token:
            return Created(
                service_request_id=request_id,
                token=None if request_id else token,
                notice=_text(record, "service_notice"),
            )
    raise DispatchUnreadableError("the answer carries neither service_request_id nor token")


def read_token(tree: Node) -> str | None:
    """Read ``GET /tokens/{token}``: the request id, ``None`` while there is none."""
    for record in _records(tree, "service_request_id", "token"):
        request_id = _text(record, "service_request_id")
        if request_id:
            return request_id
    return None


def read_requests(tree: Node) -> tuple[ServiceRequest, ...]:
    """Read ``GET /requests`` or ``GET /requests/{id}``; records without an id are skipped."""
    found = []
    for record in _records(tree, "service_request_id"):
        request_id = _text(record, "service_request_id")
        if request_id is None:
            logger.warning("request without an id skipped")
            continue
        found.append(_request(request_id, record))
    return tuple(found)


def read_updates(tree: Node) -> tuple[RequestUpdate, ...]:
    """Read ``GET /servicerequestupdates``, oldest first.

    An entry without ids or without a readable time cannot be applied in order; it is skipped
    and logged.
    """
    found = []
    for record in _records(tree, "update_id", "service_request_id"):
        update_id = _text(record, "update_id")
        request_id = _text(record, "service_request_id")
        moment = parse_time(_text(record, "updated_datetime"))
        if update_id is None or request_id is None or moment is None:
            logger.warning("update %r skipped: no id or no time", update_id)
            continue
        found.append(
            RequestUpdate(
                update_id=update_id,
                service_request_id=request_id,
                status=(_text(record, "status") or "").upper(),
                updated_datetime=moment,
                description=_text(record, "description") or "",
                agency_responsible=_text(record, "agency_responsible"),
                media_urls=_words(record.get("media_urls"), separator=None) or _media(record),
            )
        )
    return tuple(sorted(found, key=lambda update: update.updated_datetime))


def read_posted_update(tree: Node) -> str | None:
    """Read the answer to a posted update: the server's id for it, if it gives one."""
    for record in _records(tree, "update_id", strict=False):
        return _text(record, "update_id")
    return None


def read_errors(tree: Node) -> tuple[ServerError, ...]:
    """Read an error answer in any shape seen in the wild.

    The specification's list, one bare object, an ``errors`` wrapper, and the
    ``code``/``detail``, ``error``/``message`` dictionaries of web frameworks.
    """
    words = ("description", "detail", "message", "msg", "error", "title")
    found = []
    for record in _records(tree, "code", "status", *words, strict=False):
        said = next((text for word in words if (text := _text(record, word))), None)
        code = _text(record, "code") or _text(record, "status")
        if said or code:
            found.append(ServerError(code or "", said or ""))
    return tuple(found)


def parse_time(text: str | None) -> datetime | None:
    """Parse a W3C/ISO 8601 time; one without a zone is taken as China Standard Time."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip().replace("/", "-"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=CHINA)
        moment.astimezone(UTC)  # refuses times at the edges of the calendar
    except (ValueError, OverflowError):
        return None
    return moment


def _request(request_id: str, record: Record) -> ServiceRequest:
    extended = record.get("extended_attributes")
    if not isinstance(extended, dict):
        extended = {}
    latitude, longitude = _number(record, "lat"), _number(record, "long")
    if latitude is None or longitude is None or not valid_coordinates(latitude, longitude):
        latitude = longitude = None
    detailed = _text(extended, "detailed_status") or _text(record, "detailed_status")
    return ServiceRequest(
        service_request_id=request_id,
        status=(_text(record, "status") or "").lower(),
        status_notes=_text(record, "status_notes"),
        service_name=_text(record, "service_name"),
        service_code=_text(record, "service_code"),
        description=_text(record, "description"),
        agency_responsible=_text(record, "agency_responsible"),
        service_notice=_text(record, "service_notice"),
        requested_datetime=parse_time(_text(record, "requested_datetime")),
        updated_datetime=parse_time(_text(record, "updated_datetime")),
        expected_datetime=parse_time(_text(record, "expected_datetime")),
        address=_text(record, "address"),
        address_id=_text(record, "address_id"),
        zipcode=_text(record, "zipcode"),
        lat=latitude,
        long=longitude,
        media_urls=_all_media(record, extended),
        detailed_status=detailed.upper() if detailed else None,
        attributes=_answers(record.get("attributes")),
        notes=_notes(record.get("notes")),
    )


def _all_media(record: Record, extended: Record) -> tuple[str, ...]:
    listed = _words(extended.get("media_urls"), separator=None)
    if listed:
        return listed
    photos = _records(extended.get("photos"), "media_url", strict=False)
    urls = (url for entry in (record, *photos) for url in _media(entry))
    return tuple(dict.fromkeys(urls))


def _answers(tree: Node) -> tuple[RequestAttribute, ...]:
    """Read the "extended attributes" extension: ``name`` asks, ``value`` answers."""
    found = []
    for entry in _records(tree, "name", "code", "value", strict=False):
        code, value = _text(entry, "name") or _text(entry, "code"), _text(entry, "value")
        if code and value:
            found.append(RequestAttribute(code, value, _text(entry, "label")))
    return tuple(found)


def _notes(tree: Node) -> tuple[RequestNote, ...]:
    """Read the "update history" extension."""
    found = []
    for entry in _records(tree, "description", "summary", "type", strict=False):
        words = _text(entry, "description") or _text(entry, "summary") or ""
        moment = parse_time(_text(entry, "datetime"))
        found.append(RequestNote(words, _text(entry, "type"), moment))
    return tuple(found)


def _choice(record: Record) -> AttributeValue:
    key = _text(record, "key") or _text(record, "name") or ""
    return AttributeValue(key, _text(record, "name") or key)


def _records(
    tree: Node, *markers: str, wrapping: tuple[str, ...] = (), strict: bool = True
) -> list[Record]:
    """Peel wrappers off until records show.

    A record is an object in which a ``marker`` is a plain value, or which has a ``wrapping``
    field (one that may itself hold objects).

    Raises:
        DispatchUnreadableError: ``strict`` and the tree holds values but no such record.
    """
    found = list(_peel(tree, frozenset(markers), frozenset(wrapping), 0))
    if strict and not found and _has_scalar(tree):
        raise DispatchUnreadableError(f"no {' or '.join(markers)} in the answer")
    return found


def _peel(
    tree: Node, markers: frozenset[str], wrapping: frozenset[str], depth: int
) -> Iterator[Record]:
    if depth > _MAX_WRAPPERS or not isinstance(tree, dict | list):
        return
    if isinstance(tree, dict):
        plain = any(not isinstance(tree[name], dict | list) for name in tree.keys() & markers)
        if plain or tree.keys() & wrapping:
            yield tree
            return
    for value in tree.values() if isinstance(tree, dict) else tree:
        yield from _peel(value, markers, wrapping, depth + 1)


def _has_scalar(tree: Node) -> bool:
    if isinstance(tree, dict):
        return any(_has_scalar(value) for value in tree.values())
    if isinstance(tree, list):
        return any(_has_scalar(value) for value in tree)
    return tree is not None and str(tree).strip() != ""


def _text(record: Record, name: str) -> str | None:
    value = record.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int | float):
        return str(value).strip() or None
    return None


def _flag(record: Record, name: str, *, default: bool = False) -> bool:
    said = _text(record, name)
    return default if said is None else said.lower() in {"true", "1", "yes"}


def _number(record: Record, name: str) -> float | None:
    try:
        number = float(_text(record, name) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _words(value: Node, separator: str | None = ",") -> tuple[str, ...]:
    """Flatten text, a list of texts or an XML list wrapper to its words."""
    if isinstance(value, dict):
        return tuple(word for part in value.values() for word in _words(part, separator))
    if isinstance(value, list):
        return tuple(word for part in value for word in _words(part, separator))
    if not isinstance(value, str):
        return ()
    parts = value.split(separator) if separator else [value]
    return tuple(word for part in parts if (word := part.strip()))


def _media(record: Record) -> tuple[str, ...]:
    return _words(record.get("media_url"), separator=None)
