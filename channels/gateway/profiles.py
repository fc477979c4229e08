"""Profiles of people and enterprises by API: stored with their consent, read with a trace, erased.

The subject of a profile is ``<kind>:<id>``, the same as in ``shimin notices contact``. A profile
is personal data: it is only taken with a record of the consent to it (个人信息保护法 第十三条,
第十四条), and every read is written down. Its id must be a pseudonym: ids stand in logs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from base.errors import InputError, TooLargeError
from base.identity import citizen_id
from base.masking import mask
from channels.gateway.api import authorised
from channels.gateway.errors import refusal
from matcher.profile import ATTRIBUTES, Kind, parse_profile
from matcher.profile_report import profile_faults
from store.database import unit_of_work
from store.models import utc_now
from store.people import forget_profile, read_profiles, read_told, save_consent, save_profile
from store.tickets import city_day

router = APIRouter(prefix="/api/v1/profiles", dependencies=[Depends(authorised)])

MAX_BYTES = 65_536
"""Of a profile: every column of a kind takes a tenth of it."""
OLDEST_CONSENT = timedelta(days=3653)
ACTOR = "api"
PURPOSE = "profile_api"

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class Consent(BaseModel):
    """How somebody agreed that his data are stored, and to what.

    ``purpose`` is what they may be used for; there is one so far.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose: Literal["policy_matching"]
    given_on: date
    how: str = Field(min_length=1, max_length=200, pattern=r"\S")


class ProfileBody(BaseModel):
    """What a PUT brings: the whole profile, and the consent to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consent: Consent
    attributes: dict[str, Any] = Field(max_length=max(len(table) for table in ATTRIBUTES.values()))


@router.put("/{kind}/{name}")
async def put_profile(kind: Kind, name: Name, request: Request) -> JSONResponse:
    """Store a profile, replacing what was known of the subject.

    201 for a new one, 200 for one replaced. With faults nothing is stored: 422, and ``report``
    lists every field that is wrong.

    Raises:
        InputError: ``json_malformed``, ``consent_missing``, ``consent_date``, ``request_invalid``
            or ``id_personal``.
        TooLargeError: ``profile_too_large``.
    """
    _check_name(name)
    body = _parsed(await _body(request))
    faults = profile_faults(kind, body.attributes)
    if faults:
        answer = refusal(422, "profile_invalid", f"画像有{len(faults)}处需要更正，没有保存。")
        content = json.loads(bytes(answer.body)) | {"report": [asdict(fault) for fault in faults]}
        return JSONResponse(content, 422)
    new, count = await anyio.to_thread.run_sync(_store, kind, name, body)
    return JSONResponse({"kind": kind, "id": name, "stored": count}, 201 if new else 200)


@router.get("/{kind}/{name}")
def get_profile(kind: Kind, name: Name) -> dict[str, Any]:
    """Return what is stored of a subject with the consent to it; the read is written down.

    Raises:
        HTTPException: 404 when nothing is stored.
    """
    subject = citizen_id(kind, name)
    with unit_of_work() as session:
        profiles = read_profiles(session, subject, PURPOSE, actor=ACTOR)
        told = read_told(session, subject, PURPOSE, actor=ACTOR)
    if kind not in profiles:
        raise HTTPException(404)
    days = told.days.get(kind, {})
    return {
        "kind": kind,
        "id": name,
        "attributes": profiles[kind],
        "told_on": {column: day.isoformat() for column, day in days.items()},
        "consent": told.consent,
    }


@router.delete("/{kind}/{name}")
def delete_profile(kind: Kind, name: Name) -> dict[str, Any]:
    """Erase all that is stored of a subject: profile, consent, contacts, subscriptions, notices."""
    with unit_of_work() as session:
        known = forget_profile(session, citizen_id(kind, name))
    return {"kind": kind, "id": name, "deleted": known}


def _check_name(name: str) -> None:
    if mask(name) != name:
        raise InputError(
            "id_personal",
            "编号不能是身份证号、手机号这类个人号码，请换一个内部编号。",
            "a number of a person",
        )


async def _body(request: Request) -> bytes:
    """Read a small body; a larger one is refused before all of it is here."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise TooLargeError(
                "profile_too_large", f"画像内容太大，最多{MAX_BYTES // 1024}KB。", "profile body"
            )
    return content


def _parsed(content: bytes) -> ProfileBody:
    try:
        data = json.loads(content)
        json.dumps(data, ensure_ascii=False).encode()  # half a character cannot be sent back
    except (ValueError, RecursionError) as error:
        raise InputError("json_malformed", "内容不是有效的 JSON。", "profile body") from error
    if isinstance(data, Mapping) and not data.get("consent"):
        raise InputError(
            "consent_missing", "缺少同意记录 consent（用途、日期、方式），没有同意就不能保存。"
        )
    try:
        body = ProfileBody.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part)[:60] for part in error.errors()[0]["loc"])
        raise InputError(
            "request_invalid", f"内容有误（{where}），请检查后再发。", where
        ) from error
    today = city_day(utc_now())
    if not today - OLDEST_CONSENT <= body.consent.given_on <= today:
        raise InputError("consent_date", "同意日期应在今天以前、十年以内。", "date of consent")
    return body


def _store(kind: Kind, name: str, body: ProfileBody) -> tuple[bool, int]:
    subject, now = citizen_id(kind, name), utc_now()
    content = {"kind": kind, "id": name, "attributes": body.attributes}
    facts = dict(parse_profile(content).attributes)
    with unit_of_work() as session:
        new = kind not in read_profiles(session, subject, PURPOSE, actor=ACTOR)
        save_profile(session, subject, kind, facts, told=facts, now=now)
        save_consent(session, subject, _record(body.consent, now))
    return new, len(facts)


def _record(consent: Consent, now: datetime) -> dict[str, str]:
    return consent.model_dump(mode="json") | {"recorded_at": now.isoformat()}
