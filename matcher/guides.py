"""Service items, packages and halls without their index: what a page about them needs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from matcher.package import Package, load_packages
from matcher.service import Hall, ServiceItem, load_halls, load_services

__all__ = ["GuideShelf", "Guides"]

State = frozenset[tuple[str, int, int]]


@dataclass(frozen=True)
class Guides:
    """The city's guides by id; :class:`matcher.catalogue.Catalogue` answers the same questions."""

    services: tuple[ServiceItem, ...]
    packages: tuple[Package, ...]
    halls: tuple[Hall, ...]

    @classmethod
    def load(cls, folder: Path) -> Guides:
        """Read ``services``, ``packages`` and ``halls.yml`` of ``folder``.

        Raises:
            ConfigurationError: a file is wrong.
        """
        services = load_services(folder / "services")
        packages = load_packages(folder / "packages", services)
        return cls(services, packages, load_halls(folder / "halls.yml"))

    def service(self, identifier: str) -> ServiceItem | None:
        """Return a service item, or None when there is none of that id."""
        return next((item for item in self.services if item.id == identifier), None)

    def package(self, identifier: str) -> Package | None:
        """Return a package, or None when there is none of that id."""
        return next((item for item in self.packages if item.id == identifier), None)

    def halls_for(self, item: ServiceItem) -> tuple[Hall, ...]:
        """Return the halls that handle ``item``."""
        return tuple(hall for hall in self.halls if hall.id in item.place.halls)


class GuideShelf:
    """Keeps the guides of a folder; a changed file is noticed without a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reading = threading.Lock()
        self._state: State | None = None
        self._guides: Guides | None = None

    def guides(self) -> Guides:
        """Return the present guides, read again when a file has changed.

        Raises:
            ConfigurationError: a file is wrong.
        """
        with self._reading:
            paths = [*self._folder.glob("services/*.yml"), *self._folder.glob("packages/*.yml")]
            stats = [(str(path), path.stat()) for path in [*paths, self._folder / "halls.yml"]]
            state = frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
            if self._guides is None or state != self._state:
                self._guides = Guides.load(self._folder)
                self._state = state
            return self._guides
