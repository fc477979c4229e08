"""Answers ready to send: the service catalogue, searched by an agent's words."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog

from base.encoder import get_encoder
from base.errors import ConfigurationError
from base.settings import Settings
from matcher.finder import ServiceFinder
from matcher.service import ServiceItem, load_services

log = structlog.get_logger(__name__)

MOST = 5
_LONGEST_QUERY = 60


@dataclass(frozen=True)
class ReadyAnswer:
    """An item's answer."""

    id: str
    name: str
    answer: str


class AnswerShelf:
    """The catalogue, read when somebody searches for the first time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._finder: ServiceFinder | None = None
        self._items: dict[str, ServiceItem] = {}

    def search(self, query: str) -> tuple[ReadyAnswer, ...] | None:
        """Return the likeliest items; None when the catalogue cannot be read."""
        query = query.strip()[:_LONGEST_QUERY]
        finder = self._ready()
        if finder is None:
            return None
        if not query:
            return ()
        found = finder.find(query).candidates[:MOST]
        return tuple(ReadyAnswer(c.item.id, c.item.name, c.item.answer) for c in found)

    def words(self, identifier: str) -> str:
        """Return an item as it is put into a reply; empty for an unknown one."""
        self._ready()
        item = self._items.get(identifier)
        if item is None:
            return ""
        needed = "、".join(m.name for m in item.materials if m.required)
        materials = f"要带：{needed}。" if needed else ""
        return f"【{item.name}】{item.answer}{materials}"

    def _ready(self) -> ServiceFinder | None:
        with self._lock:
            if self._finder is None:
                try:
                    items = load_services(self._settings.policies_dir / "services")
                except ConfigurationError as error:
                    log.error("answers_unreadable", detail=error.detail)
                    return None
                encoder = get_encoder(self._settings.embedding_model)
                self._finder = ServiceFinder(items, encoder, self._settings.model_dir)
                self._items = {item.id: item for item in items}
            return self._finder
