"""Anonymous web sessions: a signed, HttpOnly cookie that names the conversation.

The page itself has a ``SameSite=Strict`` cookie. Inside a frame of another site browsers never
send that one; there the session lives in a second cookie, ``SameSite=None; Partitioned`` (CHIPS,
https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies), which
exists only under the site that holds the frame and is given only where frames are allowed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Request, Response

from base.errors import InputError
from base.settings import Settings

COOKIE = "shimin_session"
EMBEDDED_COOKIE = "shimin_embedded"
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


def set_embedded_cookie(response: Response, conversation: str, settings: Settings) -> None:
    """Give a page inside another site's frame its session."""
    value = f"{conversation}.{_signature(conversation, settings)}"
    response.headers.append("Set-Cookie", _embedded(value, LIFETIME_SECONDS))


def forget_cookies(response: Response) -> None:
    """Take the session back from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    response.headers.append("Set-Cookie", _embedded("", 0))


def conversation_of(request: Request, settings: Settings) -> str | None:
    """Return the conversation the cookies name, None when they are missing or forged."""
    for name in (COOKIE, EMBEDDED_COOKIE):
        conversation, _, signature = request.cookies.get(name, "").rpartition(".")
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


def check_own_page(request: Request) -> None:
    """Refuse a stream that another site's page opened; only browsers say who asks.

    Raises:
        InputError: ``forbidden_origin``.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise InputError("forbidden_origin", "请从本页面打开对话。", "asked by a foreign page")


def _embedded(value: str, seconds: int) -> str:
    """Return the header of the cookie (http.cookies knows ``Partitioned`` from Python 3.14)."""
    return (
        f"{EMBEDDED_COOKIE}={value}; Max-Age={seconds}; Path=/; "
        "HttpOnly; Secure; SameSite=None; Partitioned"
    )


def _signature(conversation: str, settings: Settings) -> str:
    key = settings.session_key.get_secret_value().encode()
    return hmac.new(key, f"web-session:{conversation}".encode(), hashlib.sha256).hexdigest()
