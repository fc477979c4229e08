"""Everything a city offers, loaded, checked and indexed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from base.encoder import get_encoder
from base.errors import ConfigurationError
from base.settings import Settings
from matcher.elsewhere import Elsewhere, load_elsewhere
from matcher.finder import Matter, ServiceFinder
from matcher.package import Package, load_packages
from matcher.policy import Policy, load_policies
from matcher.policy_finder import PolicyFinder
from matcher.service import Hall, ServiceItem, load_halls, load_services

__all__ = ["Catalogue", "followed"]


@dataclass(frozen=True)
class Catalogue:
    """Service items, halls and policies of one city, with their finders.

    Args:
        services: ordered by id.
        packages: events of life, ordered by id.
        elsewhere: what others handle. No id comes twice among the three.
        halls: in the order of the file.
        policies: ordered by id.
        service_finder: finds service items by a citizen's words.
        policy_finder: finds policies by a citizen's words.
    """

    services: tuple[ServiceItem, ...]
    packages: tuple[Package, ...]
    elsewhere: tuple[Elsewhere, ...]
    halls: tuple[Hall, ...]
    policies: tuple[Policy, ...]
    service_finder: ServiceFinder
    policy_finder: PolicyFinder

    @classmethod
    def load(cls, settings: Settings) -> Catalogue:
        """Read ``settings.policies_dir`` and index it with the configured encoder.

        The first load encodes every passage (some ten seconds); later ones read the vectors
        kept under ``settings.model_dir``.

        Raises:
            ConfigurationError: a file is wrong, or an item names a hall that does not exist.
        """
        read = _Files.read(settings.policies_dir)
        encoder = get_encoder(settings.embedding_model)
        return cls(
            services=read.services,
            packages=read.packages,
            elsewhere=read.elsewhere,
            halls=read.halls,
            policies=read.policies,
            service_finder=ServiceFinder(read.matters, encoder, settings.model_dir),
            policy_finder=PolicyFinder(read.policies, encoder, settings.model_dir),
        )

    def refreshed(self, settings: Settings) -> Catalogue:
        """Return the catalogue of the files as they are now; this one stays as it is.

        Only the passages of items that are new or changed are read and encoded.

        Raises:
            ConfigurationError: as :meth:`load`.
        """
        read = _Files.read(settings.policies_dir)
        return Catalogue(
            services=read.services,
            packages=read.packages,
            elsewhere=read.elsewhere,
            halls=read.halls,
            policies=read.policies,
            service_finder=followed(self.service_finder, read.matters),
            policy_finder=followed(self.policy_finder, read.policies),
        )

    def service(self, identifier: str) -> ServiceItem | None:
        """Return a service item, or None when there is none of that id."""
        return next((item for item in self.services if item.id == identifier), None)

    def other(self, identifier: str) -> Elsewhere | None:
        """Return a matter that others handle, or None when there is none of that id."""
        return next((item for item in self.elsewhere if item.id == identifier), None)

    def package(self, identifier: str) -> Package | None:
        """Return a package, or None when there is none of that id."""
        return next((item for item in self.packages if item.id == identifier), None)

    def policy(self, identifier: str) -> Policy | None:
        """Return a policy, or None when there is none of that id."""
        return next((item for item in self.policies if item.id == identifier), None)

    def halls_for(self, item: ServiceItem, district: str | None = None) -> tuple[Hall, ...]:
        """Return the halls that handle ``item``, those of ``district`` first."""
        halls = [hall for hall in self.halls if hall.id in item.place.halls]
        return tuple(sorted(halls, key=lambda hall: hall.district != district))


@dataclass(frozen=True)
class _Files:
    """What the files of a city say, checked against each other."""

    services: tuple[ServiceItem, ...]
    packages: tuple[Package, ...]
    elsewhere: tuple[Elsewhere, ...]
    halls: tuple[Hall, ...]
    policies: tuple[Policy, ...]

    @classmethod
    def read(cls, directory: Path) -> _Files:
        services = load_services(directory / "services")
        packages = load_packages(directory / "packages", services)
        elsewhere = load_elsewhere(directory / "elsewhere.yml")
        halls = load_halls(directory / "halls.yml")
        _check_ids((*services, *packages, *elsewhere))
        _check_halls(services, halls)
        return cls(services, packages, elsewhere, halls, load_policies(directory))

    @property
    def matters(self) -> tuple[Matter, ...]:
        return (*self.services, *self.packages, *self.elsewhere)


def _check_ids(matters: Sequence[Matter]) -> None:
    taken = [name for name, count in Counter(matter.id for matter in matters).items() if count > 1]
    if taken:
        raise ConfigurationError(f"id: {taken[0]!r} is that of two matters")


SomeFinder = TypeVar("SomeFinder", ServiceFinder, PolicyFinder)


def followed(finder: SomeFinder, items: Sequence[Any]) -> SomeFinder:
    """Return a finder of ``items`` that has read only what ``finder`` had not."""
    kept = {item.id for item in items}
    # A policy's parsed conditions are no part of what its file says, and do not compare.
    put = [
        item
        for item in items
        if item.id not in finder.items or vars(finder.items[item.id]) != vars(item)
    ]
    removed = [name for name in finder.items if name not in kept]
    if not put and not removed:
        return finder
    other = finder.now()
    other.change(put, removed)
    return other


def _check_halls(services: Sequence[ServiceItem], halls: Sequence[Hall]) -> None:
    known = {hall.id for hall in halls}
    for item in services:
        unknown = [name for name in item.place.halls if name not in known]
        if unknown:
            raise ConfigurationError(
                f"services/{item.id}.yml: place.halls: no hall {', '.join(unknown)}"
            )
