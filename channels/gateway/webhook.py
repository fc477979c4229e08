"""News from the dispatch system, pushed and signed."""

from __future__ import annotations

import time
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from base.errors import InputError
from base.signing import verify
from dispatch.case.updates import MAX_PHOTOS, MAX_URL_CHARS, Outcome, apply_update
from dispatch.open311 import RequestUpdate
from store.database import unit_of_work

router = APIRouter(prefix="/webhooks")

Url = Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARS)]


class UpdateBody(BaseModel):
    """One status change (mySociety's update record as JSON); ``media_urls`` show the result."""

    update_id: str = Field(min_length=1, max_length=80)
    service_request_id: str = Field(min_length=1, max_length=80)
    status: str = Field(max_length=40)
    updated_datetime: AwareDatetime
    description: str = Field(default="", max_length=4000)
    agency_responsible: str | None = Field(default=None, max_length=80)
    media_urls: tuple[Url, ...] = Field(default=(), max_length=MAX_PHOTOS)


@router.post("/dispatch")
async def receive(
    request: Request,
    x_shimin_timestamp: Annotated[str, Header()] = "",
    x_shimin_signature: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Apply one signed update. 200 means: do not send it again.

    An unknown request answers 404 so that the sender retries: our own record of its id may
    still be on the way. A refused one (no explanation, transition not allowed) answers 200
    with its outcome; sending it again would not help.
    """
    body = await request.body()
    secret = request.app.state.settings.webhook_secret.get_secret_value()
    verify(secret, x_shimin_timestamp, x_shimin_signature, body, time.time())
    try:
        update = UpdateBody.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors()[0]
        raise InputError(
            "update_invalid", "更新内容有误。", f"{fault['loc']}: {fault['msg']}"
        ) from error
    outcome = await anyio.to_thread.run_sync(_apply, update, request.app.state.categories)
    status = 404 if outcome is Outcome.UNKNOWN_TICKET else 200
    return JSONResponse({"outcome": outcome.value}, status)


def _apply(update: UpdateBody, categories: Any) -> Outcome:
    with unit_of_work() as session:
        return apply_update(session, RequestUpdate(**update.model_dump()), categories)
