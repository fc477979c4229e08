"""The OpenAPI document of the Chat API, for whoever has its key."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from channels.gateway.api import authorised
from channels.gateway.profiles import ProfileBody

PREFIX = "/api/v1"
VERSION = "1"

router = APIRouter(prefix=PREFIX)

_REFUSAL = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        },
        "report": {"type": "array", "items": {"type": "object"}},
    },
}
_REFUSALS = {
    "400": "The body is no JSON, or the Host header is not ours.",
    "401": "The key is missing or wrong.",
    "413": "Something is too large.",
    "415": "A file is not of the kind it is said to be.",
    "422": "Something cannot be used as it is.",
    "429": "Too much in too short a time; Retry-After says how long to wait.",
    "503": "A part of the service does not answer; trying again later may help.",
}


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(authorised)])
def openapi(request: Request) -> JSONResponse:
    """Return the document."""
    return JSONResponse(chat_api(request.app))


@lru_cache(maxsize=1)
def chat_api(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the routes under ``/api/v1``, errors included."""
    found = get_openapi(
        title="Shimin Chat API",
        version=VERSION,
        description="Every refusal is {error: {code, message}}; the message is for the citizen.",
        routes=app.routes,
    )
    found["paths"] = {p: item for p, item in found["paths"].items() if p.startswith(PREFIX)}
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    parts.setdefault("schemas", {})["Refusal"] = _REFUSAL
    _add_profile_body(found)
    for path, item in found["paths"].items():
        for operation in item.values():
            _complete(path, operation)
    return found


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Say what every route may refuse, and that it needs the key."""
    answers = operation["responses"]
    for status, why in _REFUSALS.items():
        schema = {"schema": {"$ref": "#/components/schemas/Refusal"}}
        answers[status] = {"description": why, "content": {"application/json": schema}}
    given = operation.get("parameters", [])
    operation["parameters"] = [p for p in given if p["name"] != "authorization"]
    if path == f"{PREFIX}/health":
        answers["503"] = {"description": "Citizens cannot be answered."}
    else:
        operation["security"] = [{"key": []}]
    if "/profiles/" in path:
        missing = {"schema": {"$ref": "#/components/schemas/Refusal"}}
        answers["404"] = {
            "description": "Nothing is stored.",
            "content": {"application/json": missing},
        }


def _add_profile_body(found: dict[str, Any]) -> None:
    """Describe the body of a profile, which the route reads itself to limit its size."""
    schema = ProfileBody.model_json_schema(ref_template="#/components/schemas/{model}")
    found["components"]["schemas"] |= schema.pop("$defs", {})
    found["components"]["schemas"]["ProfileBody"] = schema
    put = found["paths"][PREFIX + "/profiles/{kind}/{name}"]["put"]
    reference = {"$ref": "#/components/schemas/ProfileBody"}
    put["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": reference}},
    }
    put["responses"]["201"] = {"description": "Stored; nothing was known before."}
