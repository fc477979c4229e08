"""Whose pages may show the chat page in a frame."""

from __future__ import annotations

import re

from base.errors import ConfigurationError
from base.settings import Settings

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")


def embed_origins(settings: Settings) -> tuple[str, ...]:
    """Return the origins of ``SHIMIN_EMBED_ORIGINS``: https, or http on this machine.

    Raises:
        ConfigurationError: one is no such origin.
    """
    origins = tuple(part.strip() for part in settings.embed_origins.split(",") if part.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"SHIMIN_EMBED_ORIGINS: {origin!r} is not an origin like https://www.city.gov.cn"
            )
    return origins


def page_policy(policy: str, settings: Settings) -> str:
    """Return the Content-Security-Policy of the chat page: ``policy`` with its allowed frames."""
    origins = embed_origins(settings)
    if not origins:
        return policy
    return policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}")
