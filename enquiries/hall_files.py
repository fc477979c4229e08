"""Halls and single items as their files say now, for processes that hold no catalogue."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import structlog

from base.errors import ConfigurationError
from matcher.documents import read_model
from matcher.service import Hall, ServiceItem, load_halls

__all__ = ["hall_now", "halls_now", "item_now"]

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def halls_now(policies_dir: Path) -> tuple[Hall, ...]:
    """Return the halls; the file is read again when it has changed.

    Raises:
        ConfigurationError: the file is wrong.
    """
    path = policies_dir / "halls.yml"
    return _halls(path, path.stat().st_mtime_ns)


def hall_now(policies_dir: Path, hall_id: str) -> Hall | None:
    """Return a hall, or None when there is none of that id any more."""
    return next((hall for hall in halls_now(policies_dir) if hall.id == hall_id), None)


def item_now(policies_dir: Path, service_id: str) -> ServiceItem | None:
    """Return a service item, or None when its file is gone or wrong (logged)."""
    path = policies_dir / "services" / f"{service_id}.yml"
    if _NAME.fullmatch(service_id) is None or not path.is_file():
        return None
    try:
        return _item(path, path.stat().st_mtime_ns)
    except ConfigurationError as error:
        log.error("service_file_wrong", error=error.detail)
        return None


@lru_cache(maxsize=4)
def _halls(path: Path, _changed: int) -> tuple[Hall, ...]:
    return load_halls(path)


@lru_cache(maxsize=64)
def _item(path: Path, _changed: int) -> ServiceItem:
    return read_model(path, ServiceItem)
