"""Typed records to GeoReport v2 JSON and XML, exactly as the specification writes them.

Both formats come from one list of fields, so they cannot drift apart. Every field of a record
is sent, empty when unknown (JSON: ``null``). ``media_url`` holds one address, as specified;
``media_urls`` is our extension for all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from xml.etree.ElementTree import Element, SubElement, tostring  # writing only

from dispatch.open311.models import (
    Created,
    Discovery,
    RequestUpdate,
    ServerError,
    Service,
    ServiceDefinition,
    ServiceRequest,
)
from dispatch.open311.reader import CHINA

Format = Literal["json", "xml"]
FORMATS: tuple[Format, ...] = ("json", "xml")
CONTENT_TYPES: Mapping[Format, str] = {
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
}

# Everything XML 1.0 cannot carry, and lone surrogates; JSON is held to the same alphabet.
_UNSENDABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Fields = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """Element names of one resource: ``<root><item>…</item></root>``."""

    root: str
    item: str


SERVICES = Shape("services", "service")
REQUESTS = Shape("service_requests", "request")
UPDATES = Shape("service_request_updates", "request_update")
ERRORS = Shape("errors", "error")
_ITEMS = {
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
    "media_urls": "media_url",
}


def plain(text: str) -> str:
    """Return ``text`` with line ends as ``\\n`` and without characters no format can carry."""
    return _UNSENDABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def write_time(moment: datetime) -> str:
    """Write an aware time as W3C date-time with its offset, in China Standard Time."""
    return moment.astimezone(CHINA).isoformat(timespec="milliseconds")


def write_services(services: Iterable[Service], form: Format) -> bytes:
    """Write ``GET /services``."""
    return _write_list([_service(service) for service in services], SERVICES, form)


def write_definition(definition: ServiceDefinition, form: Format) -> bytes:
    """Write ``GET /services/{code}``."""
    return _write_object(_definition(definition), "service_definition", form)


def write_created(created: Created, form: Format) -> bytes:
    """Write the answer to a filed request: an id or a token, never both."""
    fields: Fields = (
        {"token": created.token}
        if created.service_request_id is None
        else {
            "service_request_id": created.service_request_id,
            "service_notice": created.notice,
            "account_id": None,
        }
    )
    return _write_list([fields], REQUESTS, form)


def write_token(token: str, service_request_id: str, form: Format) -> bytes:
    """Write ``GET /tokens/{token}``."""
    fields = {"service_request_id": service_request_id, "token": token}
    return _write_list([fields], REQUESTS, form)


def write_requests(
    requests: Iterable[ServiceRequest], form: Format, *, extensions: bool = False
) -> bytes:
    """Write ``GET /requests``; ``extensions`` adds ``extended_attributes``."""
    return _write_list([_request(item, extensions) for item in requests], REQUESTS, form)


def write_updates(updates: Iterable[RequestUpdate], form: Format) -> bytes:
    """Write ``GET /servicerequestupdates``."""
    return _write_list([_update(update) for update in updates], UPDATES, form)


def write_posted_update(update_id: str, form: Format) -> bytes:
    """Write the answer to a posted update."""
    return _write_list([{"update_id": update_id}], UPDATES, form)


def write_errors(errors: Iterable[ServerError], form: Format) -> bytes:
    """Write the specification's error list."""
    fields: list[Fields] = [
        {"code": _code(error.code), "description": error.description} for error in errors
    ]
    return _write_list(fields, ERRORS, form)


def write_discovery(discovery: Discovery, form: Format) -> bytes:
    """Write the service-discovery document (https://wiki.open311.org/Service_Discovery)."""
    fields = {
        "changeset": discovery.changeset,
        "contact": discovery.contact,
        "key_service": discovery.key_service,
        "endpoints": [
            {
                "specification": endpoint.specification,
                "url": endpoint.url,
                "changeset": endpoint.changeset,
                "type": endpoint.type,
                "formats": list(endpoint.formats),
            }
            for endpoint in discovery.endpoints
        ],
    }
    return _write_object(fields, "discovery", form)


def _service(service: Service) -> Fields:
    return {
        "service_code": service.service_code,
        "service_name": service.service_name,
        "description": service.description,
        "metadata": service.metadata,
        "type": service.type,
        "keywords": ",".join(service.keywords),
        "group": service.group,
    }


def _definition(definition: ServiceDefinition) -> Fields:
    attributes = [
        {
            "variable": attribute.variable,
            "code": attribute.code,
            "datatype": attribute.datatype,
            "required": attribute.required,
            "datatype_description": attribute.datatype_description,
            "order": attribute.order,
            "description": attribute.description,
            "values": [{"key": value.key, "name": value.name} for value in attribute.values],
        }
        for attribute in definition.attributes
    ]
    return {"service_code": definition.service_code, "attributes": attributes}


def _request(request: ServiceRequest, extensions: bool) -> Fields:
    fields: Fields = {
        "service_request_id": request.service_request_id,
        "status": request.status,
        "status_notes": request.status_notes,
        "service_name": request.service_name,
        "service_code": request.service_code,
        "description": request.description,
        "agency_responsible": request.agency_responsible,
        "service_notice": request.service_notice,
        "requested_datetime": _moment(request.requested_datetime),
        "updated_datetime": _moment(request.updated_datetime),
        "expected_datetime": _moment(request.expected_datetime),
        "address": request.address,
        "address_id": request.address_id,
        "zipcode": request.zipcode,
        "lat": request.lat,
        "long": request.long,
        "media_url": request.media_urls[0] if request.media_urls else None,
    }
    if extensions:
        fields["extended_attributes"] = {
            "detailed_status": request.detailed_status,
            "media_urls": list(request.media_urls),
        }
    return fields


def _update(update: RequestUpdate) -> Fields:
    return {
        "update_id": update.update_id,
        "service_request_id": update.service_request_id,
        "status": update.status,
        "updated_datetime": write_time(update.updated_datetime),
        "description": update.description,
        "agency_responsible": update.agency_responsible,
        "media_url": update.media_urls[0] if update.media_urls else None,
        "media_urls": list(update.media_urls),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else write_time(moment)


def _code(code: str) -> int | str:
    return int(code) if code.isascii() and code.isdigit() else code


def _write_list(items: list[Fields], shape: Shape, form: Format) -> bytes:
    if form == "json":
        return _write_json(items)
    root = Element(shape.root)
    for fields in items:
        _fill(SubElement(root, shape.item), fields)
    return _xml(root)


def _write_object(fields: Fields, name: str, form: Format) -> bytes:
    if form == "json":
        return _write_json(fields)
    root = Element(name)
    _fill(root, fields)
    return _xml(root)


def _write_json(value: Any) -> bytes:
    return json.dumps(_cleaned(value), ensure_ascii=False, allow_nan=False).encode()


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {name: _cleaned(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_cleaned(part) for part in value]
    return value


def _fill(element: Element, value: Any) -> None:
    if isinstance(value, dict):
        for name, part in value.items():
            _fill(SubElement(element, name), part)
    elif isinstance(value, list):
        for part in value:
            _fill(SubElement(element, _ITEMS[element.tag]), part)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        element.text = plain(str(value))


def _xml(root: Element) -> bytes:
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
