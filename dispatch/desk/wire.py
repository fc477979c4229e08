"""The desk's rows as GeoReport records."""

from __future__ import annotations

from dispatch.classification.categories import Category
from dispatch.desk.privacy import masked
from dispatch.desk.status import Status, is_open
from dispatch.desk.tables import EventRow, RequestRow
from dispatch.open311.models import RequestUpdate, Service, ServiceRequest


def service_of(category: Category) -> Service:
    """Describe a category as an Open311 service; every one has a definition."""
    return Service(
        service_code=category.code,
        service_name=category.name,
        description=category.description,
        metadata=True,
        type="realtime",
        keywords=category.keywords,
        group=category.group,
    )


def request_of(row: RequestRow) -> ServiceRequest:
    """Describe a request for the open API: personal numbers masked, no contact fields."""
    return ServiceRequest(
        service_request_id=row.request_id,
        status="open" if is_open(Status(row.status)) else "closed",
        status_notes=row.status_notes,
        service_name=row.service_name,
        service_code=row.service_code,
        description=masked(row.description) or None,
        agency_responsible=row.agency,
        service_notice=notice_for(row),
        requested_datetime=row.requested_at,
        updated_datetime=row.updated_at,
        expected_datetime=row.resolve_by,
        address=row.address,
        address_id=row.address_id,
        zipcode=None,
        lat=row.latitude,
        long=row.longitude,
        media_urls=tuple(row.media_urls),
        detailed_status=row.status,
    )


def update_of(event: EventRow) -> RequestUpdate:
    """Describe a step of the desk."""
    return RequestUpdate(
        update_id=event.update_id,
        service_request_id=event.request.request_id,
        status=event.status,
        updated_datetime=event.at,
        description=event.description,
        agency_responsible=event.agency,
        media_urls=tuple(event.media_urls),
    )


def notice_for(row: RequestRow) -> str:
    """Tell the citizen, in Chinese, who handles the request and within what time."""
    span = row.respond_by - (row.limits_from or row.requested_at)
    hours = round(span.total_seconds() / 3600)
    return f"{row.agency}将在{hours}小时内受理并答复。"
