"""Fetches the photos of the result which the dispatch system offers.

An update only names addresses; the bytes are fetched later, so that a slow photo holds up no
news. Only addresses of the dispatch system itself, or of origins the operator names, are asked:
an update must not make this side call whatever it likes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
import structlog

from base.errors import InputError, TooLargeError, UpstreamError
from base.pictures import examine
from base.settings import Settings
from store.after_photos import give_up_photo, keep_photo, waiting_photos
from store.database import reading, unit_of_work
from store.models import Media, utc_now

log = structlog.get_logger(__name__)

GIVE_UP_AFTER = timedelta(days=1)
TIMEOUT = httpx.Timeout(10.0)
LONGEST_FETCH = timedelta(seconds=30)
"""One photo may take this long, however slowly its bytes drip in."""
_PORTS = {"http": 80, "https": 443}


def photo_client() -> httpx.Client:
    """Return a client for :func:`fetch_pending`: no redirects, no proxy or key from outside."""
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)


def origin_allowed(url: str, settings: Settings) -> bool:
    """Tell whether a photo may be fetched from ``url``.

    http and https only, no user name in it, and scheme, host and port are those of
    ``SHIMIN_DISPATCH_URL`` or of one of ``SHIMIN_DISPATCH_MEDIA_ORIGINS``.
    """
    named = [settings.dispatch_url, *settings.dispatch_media_origins.split(",")]
    allowed = {_origin(name.strip()) for name in named if name.strip()} - {None}
    return _origin(url) in allowed


def fetch_pending(
    client: httpx.Client, settings: Settings, limit: int = 20, now: datetime | None = None
) -> int:
    """Fetch up to ``limit`` photos that are still missing; return how many are there now.

    What fails is tried again with the next pass, for a day. A server that does not answer is
    not asked again in the same pass.
    """
    with reading() as session:
        waiting = waiting_photos(session, limit)
    now = now or utc_now()
    arrived, silent = 0, set()
    for photo in waiting:
        url = photo.source_url or ""
        if not origin_allowed(url, settings):
            log.error("after_photo_refused", ticket=photo.ticket_id, media=photo.id)
            _give_up(photo)
        elif now - photo.created_at > GIVE_UP_AFTER:
            log.error("after_photo_given_up", ticket=photo.ticket_id, media=photo.id)
            _give_up(photo)
        elif _origin(url) not in silent:
            try:
                arrived += _fetch(client, settings, photo, url)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                _missing(photo, type(error).__name__)
                silent.add(_origin(url))
    return arrived


def _fetch(client: httpx.Client, settings: Settings, photo: Media, url: str) -> bool:
    data = bytearray()
    deadline = utc_now() + LONGEST_FETCH
    plain = {"Accept": "image/*", "Accept-Encoding": "identity"}
    with client.stream("GET", url, headers=plain) as response:
        if response.status_code != 200:
            return _missing(photo, f"HTTP {response.status_code}")
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > settings.max_photo_bytes:
                return _missing(photo, "too large")
            if utc_now() > deadline:
                return _missing(photo, "too slow")
    try:
        picture = examine(bytes(data), settings.max_photo_pixels)
        with unit_of_work() as session:
            kept = keep_photo(session, photo.id, bytes(data), picture.content_type)
    except (InputError, TooLargeError, UpstreamError) as error:
        return _missing(photo, error.code)
    log.info("after_photo_fetched", ticket=photo.ticket_id, media=photo.id, size=len(data))
    return kept


def _missing(photo: Media, why: str) -> bool:
    log.warning("after_photo_missing", ticket=photo.ticket_id, media=photo.id, why=why)
    return False


def _give_up(photo: Media) -> None:
    with unit_of_work() as session:
        give_up_photo(session, photo.id)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return ``(scheme, host, port)``, None for anything but a plain web address."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return None
    if scheme not in _PORTS or not host or parts.username is not None:
        return None
    if any(char.isspace() or not char.isprintable() or char == "\\" for char in url):
        return None  # read differently by different readers
    return scheme, host.lower(), port or _PORTS[scheme]
