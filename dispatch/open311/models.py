"""GeoReport v2 in typed, frozen records (https://wiki.open311.org/GeoReport_v2).

An absent or empty field is ``None``; times are timezone-aware; coordinates are WGS 84 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from base.errors import InputError

__all__ = [
    "GEOREPORT_V2",
    "MAX_DESCRIPTION_CHARS",
    "AttributeValue",
    "Created",
    "Discovery",
    "Endpoint",
    "RequestAttribute",
    "RequestDraft",
    "RequestFilter",
    "RequestNote",
    "RequestUpdate",
    "ServerError",
    "Service",
    "ServiceAttribute",
    "ServiceDefinition",
    "ServiceRequest",
    "UpdateDraft",
    "Upload",
    "valid_coordinates",
]

MAX_DESCRIPTION_CHARS = 4000
"""GeoReport v2, POST Service Request: "maximum of 4,000 characters"."""
GEOREPORT_V2 = "http://wiki.open311.org/GeoReport_v2"
"""The name of the specification in a service-discovery document."""


def valid_coordinates(latitude: float, longitude: float) -> bool:
    """Tell whether a pair of degrees can be a place on Earth."""
    return (
        math.isfinite(latitude)
        and math.isfinite(longitude)
        and -90 <= latitude <= 90
        and -180 <= longitude <= 180
    )


@dataclass(frozen=True)
class Service:
    """One kind of request the city takes."""

    service_code: str
    service_name: str
    description: str | None = None
    metadata: bool = False
    type: str = "realtime"
    keywords: tuple[str, ...] = ()
    group: str | None = None


@dataclass(frozen=True)
class AttributeValue:
    """One choice of a list attribute."""

    key: str
    name: str


@dataclass(frozen=True)
class ServiceAttribute:
    """One extra question a service asks (``variable`` false: a notice to show, no question)."""

    code: str
    variable: bool = True
    datatype: str = "string"
    required: bool = False
    datatype_description: str | None = None
    order: int = 0
    description: str | None = None
    values: tuple[AttributeValue, ...] = ()


@dataclass(frozen=True)
class ServiceDefinition:
    """The attributes of one service."""

    service_code: str
    attributes: tuple[ServiceAttribute, ...] = ()


@dataclass(frozen=True)
class Upload:
    """One file for servers that take multipart ``media`` instead of a ``media_url``."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class RequestDraft:
    """A request to be filed. Personal fields are sent only when they are given.

    Raises:
        InputError: ``draft_invalid`` when the service code or every form of location is
            missing, only one coordinate is given, a coordinate is off the globe, or the
            description is longer than 4000 characters.
    """

    service_code: str
    lat: float | None = None
    long: float | None = None
    address_string: str | None = None
    description: str = ""
    media_urls: tuple[str, ...] = ()
    jurisdiction_id: str | None = None
    address_id: str | None = None
    attributes: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    email: str | None = None
    device_id: str | None = None
    account_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    uploads: tuple[Upload, ...] = ()

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise InputError("draft_invalid", "上报信息不完整，请补充后再提交。", problem)

    def _problem(self) -> str:
        if not self.service_code.strip():
            return "service_code is empty"
        if (self.lat is None) != (self.long is None):
            return "lat and long go together"
        if self.lat is not None and self.long is not None:
            if not valid_coordinates(self.lat, self.long):
                return f"coordinates {self.lat},{self.long} are not on the globe"
        elif not (self.address_string or self.address_id):
            return "one of lat+long, address_string, address_id is required"
        if len(self.description) > MAX_DESCRIPTION_CHARS:
            return f"description has {len(self.description)} characters"
        return ""


@dataclass(frozen=True)
class RequestFilter:
    """Which requests to list. Empty fields do not narrow; times are aware and inclusive.

    The specification lets a server cap the span from ``start`` to ``end`` at 90 days, and a
    list of ids overrides everything else. ``updated_after`` and ``updated_before`` are an
    extension of Chicago, Boston and San Francisco.
    """

    service_request_ids: tuple[str, ...] = ()
    service_codes: tuple[str, ...] = ()
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None


@dataclass(frozen=True)
class UpdateDraft:
    """What a citizen adds to a filed request.

    ``update_id`` is ours and makes sending it again harmless; ``updated_datetime`` is aware;
    ``status`` is ``OPEN`` for a supplement, ``WITHDRAWN`` (an extension of the bundled desk)
    for a withdrawal, ``CLOSED`` for a citizen who confirms that the work is done, ``REOPEN`` for
    one who is not content with the outcome. Name and contact are mySociety's optional fields.
    """

    service_request_id: str
    update_id: str
    description: str
    updated_datetime: datetime
    status: str = "OPEN"
    media_urls: tuple[str, ...] = ()
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True)
class Created:
    """The answer to a filed request: its id, or a token to ask for the id later."""

    service_request_id: str | None = None
    token: str | None = None
    notice: str | None = None


@dataclass(frozen=True)
class RequestAttribute:
    """An answered question of a request, from the "extended attributes" extension."""

    code: str
    value: str
    label: str | None = None


@dataclass(frozen=True)
class RequestNote:
    """A line of a request's history, from the "update history" extension."""

    description: str
    type: str | None = None
    datetime: datetime | None = None


@dataclass(frozen=True)
class ServiceRequest:
    """A request as the server sees it.

    ``detailed_status``, ``attributes`` and ``notes`` come with ``extensions=true``
    (https://wiki.open311.org/GeoReport_v2/Extensions/). ``detailed_status`` (``IN_PROGRESS``,
    ``FIXED`` …) is ``None`` on servers that know only the base ``status`` ``open``/``closed``.
    """

    service_request_id: str
    status: str
    status_notes: str | None = None
    service_name: str | None = None
    service_code: str | None = None
    description: str | None = None
    agency_responsible: str | None = None
    service_notice: str | None = None
    requested_datetime: datetime | None = None
    updated_datetime: datetime | None = None
    expected_datetime: datetime | None = None
    address: str | None = None
    address_id: str | None = None
    zipcode: str | None = None
    lat: float | None = None
    long: float | None = None
    media_urls: tuple[str, ...] = ()
    detailed_status: str | None = None
    attributes: tuple[RequestAttribute, ...] = ()
    notes: tuple[RequestNote, ...] = ()


@dataclass(frozen=True)
class RequestUpdate:
    """One step of a request, from mySociety's ``servicerequestupdates`` extension.

    ``status`` is upper-case (``INVESTIGATING``, ``FIXED`` …), empty for a bare comment.
    """

    update_id: str
    service_request_id: str
    status: str
    updated_datetime: datetime
    description: str = ""
    agency_responsible: str | None = None
    media_urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerError:
    """One entry of a GeoReport error list."""

    code: str
    description: str


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a service-discovery document.

    ``changeset`` is the specification's sortable text; ``type`` is ``production`` or ``test``.
    """

    specification: str
    url: str
    changeset: str
    type: str
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Discovery:
    """A service-discovery document (https://wiki.open311.org/Service_Discovery)."""

    changeset: str
    contact: str
    key_service: str
    endpoints: tuple[Endpoint, ...]

    def endpoint(
        self,
        specification: str = GEOREPORT_V2,
        type: str = "production",  # noqa: A002 - its own word
    ) -> Endpoint | None:
        """Return the first endpoint of a specification and type, ``None`` when there is none."""
        wanted = specification.rstrip("/").lower()
        return next(
            (
                endpoint
                for endpoint in self.endpoints
                if endpoint.specification.rstrip("/").lower() == wanted and endpoint.type == type
            ),
            None,
        )
