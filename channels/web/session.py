"""Anonymous web sessions: a signed, HttpOnly cookie that names the conversation."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Request, Response

from base.errors import InputError
from base.settings import Settings

COOKIE = "shimin_session"
LIFETIME_SECONDS = 30 * 24 * 3600
GUARD_HEADER = "X-Shimin-Web"


def new_conversation() -> str:
    """Return a fresh, unguessable conversation id."""
    return f"web-{secrets.token_urlsafe(18)}"


def set_cookie(response: Response, conversation: str, settings: Settings) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE,
        f"{conversation}.{_signature(conversation, settings)}",
        max_age=LIFETIME_SECONDS,
        httponly=True,
        samesite="strict",
        secure=settings.public_url.startswith("https://"),
    )


def conversation_of(request: Request, settings: Settings) -> str | None:
    """Return the conversation the cookie names, None when it is missing or forged."""
    conversation, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
    expected = _signature(conversation, settings)
    if conversation and hmac.compare_digest(expected.encode(), signature.encode()):
        return conversation
    return None


def check_guard(request: Request) -> None:
    """Refuse requests that a foreign page could have made (no custom header).

    Raises:
        InputError: ``forbidden_origin``.
    """
    if request.headers.get(GUARD_HEADER) != "1":
        raise InputError("forbidden_origin", "请从本页面发送消息。", "guard header missing")


def _signature(conversation: str, settings: Settings) -> str:
    key = settings.session_key.get_secret_value().encode()
    return hmac.new(key, f"web-session:{conversation}".encode(), hashlib.sha256).hexdigest()
