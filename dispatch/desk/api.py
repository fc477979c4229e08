"""The GeoReport v2 API (https://wiki.open311.org/GeoReport_v2) with mySociety's updates."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from dispatch.desk import forms, wire
from dispatch.desk.api_errors import ApiError
from dispatch.desk.forms import NewRequest
from dispatch.desk.media import MediaShelf
from dispatch.desk.office import Office, now_utc
from dispatch.desk.questions import Questions
from dispatch.desk.web import PostedForm, query_fields, read_form
from dispatch.open311 import writer
from dispatch.open311.models import (
    GEOREPORT_V2,
    Created,
    Discovery,
    Endpoint,
)
from dispatch.open311.writer import CONTENT_TYPES, FORMATS, Format

_CHANGESET = datetime(2026, 11, 21, tzinfo=UTC)
_MAX_UPDATES = 1000


@dataclass(frozen=True)
class ApiParts:
    """What the API works with."""

    office: Office
    questions: Questions
    shelf: MediaShelf
    api_key: str
    own_url: str


def wire_format(fmt: str) -> Format:
    """Check the path's suffix.

    Raises:
        ApiError: 404 for a format other than ``json`` and ``xml``.
    """
    for known in FORMATS:
        if fmt == known:
            return known
    raise ApiError(404, "the format must be xml or json")


WireFormat = Annotated[Format, Depends(wire_format)]
FormBody = Annotated[PostedForm, Depends(read_form)]


def answer(body: bytes, form: Format, status: int = 200) -> Response:
    """Wrap a written body with its content type."""
    return Response(body, status, {"Content-Type": CONTENT_TYPES[form]})


def build_router(parts: ApiParts) -> APIRouter:
    """Return the API's routes over ``parts``."""
    router = APIRouter()
    _add_reading(router, parts)
    _add_filing(router, parts)
    _add_updates(router, parts)
    return router


def _add_reading(router: APIRouter, parts: ApiParts) -> None:
    office = parts.office

    @router.get("/discovery.{fmt}")
    def discovery(form: WireFormat) -> Response:
        formats = (CONTENT_TYPES["xml"].partition(";")[0], CONTENT_TYPES["json"].partition(";")[0])
        changeset = writer.write_time(_CHANGESET)
        endpoint = Endpoint(GEOREPORT_V2, parts.own_url, changeset, "production", formats)
        document = Discovery(
            changeset,
            contact="12345 政务服务便民热线",
            key_service="接入密钥请向市政务服务便民热线管理机构申请",
            endpoints=(endpoint,),
        )
        return answer(writer.write_discovery(document, form), form)

    @router.get("/services.{fmt}")
    def services(form: WireFormat) -> Response:
        found = [wire.service_of(category) for category in office.categories]
        return answer(writer.write_services(found, form), form)

    @router.get("/services/{code}.{fmt}")
    def definition(code: str, form: WireFormat) -> Response:
        if code not in office.categories:
            raise ApiError(404, "service_code was not found")
        return answer(writer.write_definition(parts.questions.definition(code), form), form)

    @router.get("/requests.{fmt}")
    def requests(request: Request, form: WireFormat) -> Response:
        query = query_fields(request)
        rows = office.listing(forms.parse_listing(query, now_utc()))
        found = [wire.request_of(row) for row in rows]
        body = writer.write_requests(found, form, extensions=_extensions(query))
        return answer(body, form)

    @router.get("/requests/{request_id}.{fmt}")
    def one_request(request: Request, request_id: str, form: WireFormat) -> Response:
        row = office.request(request_id)
        if row is None:
            raise ApiError(404, "service_request_id was not found")
        extensions = _extensions(query_fields(request))
        body = writer.write_requests([wire.request_of(row)], form, extensions=extensions)
        return answer(body, form)

    @router.get("/tokens/{token}.{fmt}")
    def token_request(token: str, form: WireFormat) -> Response:
        row = office.by_token(token)
        if row is None:
            raise ApiError(404, "token was not found")
        return answer(writer.write_token(token, row.request_id, form), form)

    @router.get("/media/{name}")
    def media(name: str) -> Response:
        path = parts.shelf.find(name)
        if path is None:
            raise ApiError(404, "media was not found")
        return FileResponse(path, media_type="image/jpeg")


def _add_filing(router: APIRouter, parts: ApiParts) -> None:
    @router.post("/requests.{fmt}")
    def file_request(request: Request, form: WireFormat, posted: FormBody) -> Response:
        """File a request; ``Prefer: respond-async`` (RFC 7240) is answered with a token."""
        _check_key(parts, posted)
        new = forms.parse_request(posted.fields)
        key = forms.idempotency_key(request.headers.get("Idempotency-Key"))
        row = parts.office.filed(key) or parts.office.file(_complete(parts, new, posted), key)
        if "respond-async" in request.headers.get("Prefer", "").lower():
            return answer(writer.write_created(Created(token=row.token), form), form, 202)
        created = Created(service_request_id=row.request_id, notice=wire.notice_for(row))
        return answer(writer.write_created(created, form), form)


def _add_updates(router: APIRouter, parts: ApiParts) -> None:
    office = parts.office

    @router.get("/servicerequestupdates.{fmt}")
    def updates(request: Request, form: WireFormat) -> Response:
        start, end = forms.parse_update_span(query_fields(request), now_utc())
        found = [wire.update_of(event) for event in office.updates(start, end, _MAX_UPDATES)]
        return answer(writer.write_updates(found, form), form)

    @router.post("/servicerequestupdates.{fmt}")
    def post_update(form: WireFormat, posted: FormBody) -> Response:
        _check_key(parts, posted)
        new = forms.parse_update(posted.fields, files=len(posted.files))
        if office.request(new.service_request_id) is None:
            raise ApiError(404, "service_request_id was not found")
        kept = tuple(_kept(parts, data) for data in posted.files)
        update_id = office.add_update(replace(new, media_urls=new.media_urls + kept))
        return answer(writer.write_posted_update(update_id, form), form)


def _check_key(parts: ApiParts, posted: PostedForm) -> None:
    given = posted.one("api_key")
    if not parts.api_key or not hmac.compare_digest(given.encode(), parts.api_key.encode()):
        raise ApiError(403, "api_key is missing or not valid")


def _complete(parts: ApiParts, new: NewRequest, posted: PostedForm) -> NewRequest:
    """Check a new request against its service and put its photos on the shelf."""
    if new.service_code not in parts.office.categories:
        raise ApiError(404, "service_code was not found")
    parts.questions.check(new.service_code, new.attributes)
    kept = tuple(_kept(parts, data) for data in posted.files)
    return replace(new, media_urls=new.media_urls + kept)


def _kept(parts: ApiParts, data: bytes) -> str:
    return f"{parts.own_url}/media/{parts.shelf.keep(data)}"


def _extensions(query: dict[str, list[str]]) -> bool:
    return query.get("extensions", [""])[0].lower() in {"true", "1", "yes"}
