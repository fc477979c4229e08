"""Which names this gateway answers to, and whose addresses it believes."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from base.settings import Settings
from channels.gateway.errors import refusal

ANY = "*"
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def listed(words: str) -> tuple[str, ...]:
    """Split a setting with commas."""
    return tuple(part.strip() for part in words.split(",") if part.strip())


def known_hosts(settings: Settings) -> frozenset[str]:
    """Return the names of the ``Host`` header that are ours.

    Those of ``SHIMIN_ALLOWED_HOSTS``, of ``SHIMIN_PUBLIC_URL`` and loopback; every name in
    development unless some are listed.
    """
    named = listed(settings.allowed_hosts)
    if ANY in named or (not named and settings.environment == "development"):
        return frozenset({ANY})
    public = urlsplit(settings.public_url).hostname or ""
    return frozenset(name.lower() for name in (*named, public, *_LOOPBACK) if name)


class HostCheck:
    """Refuses requests for another name (DNS rebinding, poisoned links): 400 ``host_unknown``."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and ANY not in self._hosts and not self._ours(scope):
            answer = refusal(400, "host_unknown", "网址不对，请从官方公布的网址进入。")
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _ours(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
        name, _, port = given.rpartition(":")
        return given in self._hosts or (port.isdigit() and name in self._hosts)
