"""Open311 GeoReport v2: typed records, both wire formats and a tolerant client."""

from dispatch.open311.client import Open311Client
from dispatch.open311.errors import (
    DispatchError,
    DispatchNotFoundError,
    DispatchRejectedError,
    DispatchUnreachableError,
    DispatchUnreadableError,
)
from dispatch.open311.models import (
    MAX_DESCRIPTION_CHARS,
    Created,
    Discovery,
    Endpoint,
    RequestAttribute,
    RequestDraft,
    RequestFilter,
    RequestNote,
    RequestUpdate,
    Service,
    ServiceAttribute,
    ServiceDefinition,
    ServiceRequest,
    UpdateDraft,
    Upload,
)

__all__ = [
    "MAX_DESCRIPTION_CHARS",
    "Created",
    "Discovery",
    "DispatchError",
    "DispatchNotFoundError",
    "DispatchRejectedError",
    "DispatchUnreachableError",
    "DispatchUnreadableError",
    "Endpoint",
    "Open311Client",
    "RequestAttribute",
    "RequestDraft",
    "RequestFilter",
    "RequestNote",
    "RequestUpdate",
    "Service",
    "ServiceAttribute",
    "ServiceDefinition",
    "ServiceRequest",
    "UpdateDraft",
    "Upload",
]
