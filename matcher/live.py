"""The catalogue as the files say now: an editor saves, and the next question is answered anew."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import structlog
from watchfiles import watch

from base.errors import ConfigurationError
from base.settings import Settings
from matcher.catalogue import Catalogue

__all__ = ["LiveCatalogue"]

log = structlog.get_logger(__name__)

SETTLING_MS = 1500
"""An editor saves several files one after the other; they are read when he pauses."""


class LiveCatalogue:
    """Holds a checked catalogue and replaces it in one step when its files change.

    A conversation keeps ids only, so it goes on with the new items; one that is running gets
    either the old catalogue or the new. Files that are wrong change nothing: the fault is
    logged with its file and field and the old catalogue stays.

    Args:
        settings: ``policies_dir`` is read and watched.

    Raises:
        ConfigurationError: the files are wrong at the start.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._current = Catalogue.load(settings)
        self._reloading = threading.Lock()
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def current(self) -> Catalogue:
        """The catalogue of this moment."""
        return self._current

    def reload(self) -> bool:
        """Read the files again; return whether they were right and are in use now."""
        with self._reloading:
            started = time.monotonic()
            try:
                fresh = self._current.refreshed(self._settings)
            except ConfigurationError as error:
                log.error("catalogue_refused", error=error.detail)
                return False
            self._current = fresh
        log.info(
            "catalogue_reloaded",
            services=len(fresh.services),
            packages=len(fresh.packages),
            policies=len(fresh.policies),
            seconds=round(time.monotonic() - started, 1),
        )
        return True

    def watch(self) -> None:
        """Reload whenever a YAML file changes, in a thread of its own, until :meth:`close`."""
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._follow, name="catalogue", daemon=True)
            self._watcher.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()

    def _follow(self) -> None:
        for _ in watch(
            self._settings.policies_dir,
            watch_filter=lambda _, name: Path(name).suffix == ".yml",
            debounce=SETTLING_MS,
            stop_event=self._stop,
        ):
            self.reload()
