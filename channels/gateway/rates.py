"""How much one citizen and one address may ask in a time (``limits``: in memory, or in Redis)."""

from __future__ import annotations

import hmac
import ipaddress
import math
import time

import anyio.to_thread
import structlog
from fastapi import Request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from base.errors import ConfigurationError, TooManyError
from base.settings import Settings
from channels.gateway.errors import refusal_of

log = structlog.get_logger(__name__)

STATIC = ("/static/", "/public/", "/console/static/")
"""Files that are the same for everybody and cost next to nothing."""

_MEMORY = "memory://"
_CITIZEN = "您发得太快了，我来不及看。请等{wait}再发，刚才这条没有收到。急事请拨打12345。"
_ADDRESS = "这个网络地址的访问太频繁了，请等{wait}再试。急事请拨打12345。"


class Rates:
    """Counts over a sliding window; an empty rate in the settings means no limit.

    Raises:
        ConfigurationError: a rate or the storage cannot be understood.
    """

    def __init__(self, settings: Settings) -> None:
        self._spare = SlidingWindowCounterRateLimiter(storage_from_string(_MEMORY))
        try:
            self._citizen = _rate(settings.rate_citizen)
            self._address = _rate(settings.rate_address)
            storage = storage_from_string(settings.rate_storage, wrap_exceptions=True)
        except Exception as error:  # limits raises what each storage's library raises
            raise ConfigurationError(f"SHIMIN_RATE_…: {error}") from error
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self.waits = settings.rate_storage != _MEMORY
        """Whether counting speaks with another process and may take a moment."""

    def citizen(self, citizen: str) -> None:
        """Count a message.

        Raises:
            TooManyError: ``too_many_messages``.
        """
        wait = self._count(self._citizen, "citizen", citizen)
        if wait:
            words = _CITIZEN.format(wait=_spoken(wait))
            raise TooManyError("too_many_messages", words, wait, citizen)

    def address(self, address: str) -> None:
        """Count a request.

        Raises:
            TooManyError: ``too_many_requests``.
        """
        wait = self._count(self._address, "address", neighbourhood(address))
        if wait:
            words = _ADDRESS.format(wait=_spoken(wait))
            raise TooManyError("too_many_requests", words, wait, "address")

    def _count(self, rate: RateLimitItem | None, kind: str, key: str) -> int:
        """Return the seconds to wait, 0 when there is room. A storage that is down stops nobody."""
        if rate is None:
            return 0
        try:
            return _hit(self._limiter, rate, kind, key)
        except StorageError as error:
            log.error("rate_storage_down", error=type(error.storage_error).__name__)
            return _hit(self._spare, rate, kind, key)


def _hit(limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, kind: str, key: str) -> int:
    if limiter.hit(rate, kind, key):
        return 0
    ends = limiter.get_window_stats(rate, kind, key).reset_time
    return max(1, math.ceil(ends - time.time()))


def _rate(words: str) -> RateLimitItem | None:
    return parse(words) if words.strip() else None


def _spoken(seconds: int) -> str:
    return f"{seconds}秒" if seconds < 90 else f"{math.ceil(seconds / 60)}分钟"


def neighbourhood(address: str) -> str:
    """Return what an address is counted under: itself, of IPv6 its /64 (one subscriber's)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class AddressLimit:
    """Refuses an address that asks too often, before its body is read: 429.

    A request with the Chat API's key comes from a system that speaks for many citizens; each of
    them is counted by himself.
    """

    def __init__(self, app: ASGIApp, rates: Rates, api_key: str) -> None:
        self._app = app
        self._rates = rates
        self._bearer = f"Bearer {api_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith(STATIC) or self._trusted(scope):
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("",))[0]
        try:
            if self._rates.waits:
                await anyio.to_thread.run_sync(self._rates.address, address)
            else:
                self._rates.address(address)
        except TooManyError as error:
            await refusal_of(scope["path"], error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _trusted(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._bearer)


def rates_of(request: Request) -> Rates:
    """Return the gateway's one counter."""
    rates: Rates = request.app.state.rates
    return rates
