"""Everything a city offers, loaded, checked and indexed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from base.encoder import get_encoder
from base.errors import ConfigurationError
from base.settings import Settings
from matcher.finder import ServiceFinder
from matcher.policy import Policy, load_policies
from matcher.policy_finder import PolicyFinder
from matcher.service import Hall, ServiceItem, load_halls, load_services

__all__ = ["Catalogue"]


@dataclass(frozen=True)
class Catalogue:
    """Service items, halls and policies of one city, with their finders.

    Args:
        services: ordered by id.
        halls: in the order of the file.
        policies: ordered by id.
        service_finder: finds service items by a citizen's words.
        policy_finder: finds policies by a citizen's words.
    """

    services: tuple[ServiceItem, ...]
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
        directory = settings.policies_dir
        services = load_services(directory / "services")
        halls = load_halls(directory / "halls.yml")
        policies = load_policies(directory)
        _check_halls(services, halls)
        encoder = get_encoder(settings.embedding_model)
        return cls(
            services=services,
            halls=halls,
            policies=policies,
            service_finder=ServiceFinder(services, encoder, settings.model_dir),
            policy_finder=PolicyFinder(policies, encoder, settings.model_dir),
        )

    def service(self, identifier: str) -> ServiceItem | None:
        """Return a service item, or None when there is none of that id."""
        return next((item for item in self.services if item.id == identifier), None)

    def policy(self, identifier: str) -> Policy | None:
        """Return a policy, or None when there is none of that id."""
        return next((item for item in self.policies if item.id == identifier), None)

    def halls_for(self, item: ServiceItem, district: str | None = None) -> tuple[Hall, ...]:
        """Return the halls that handle ``item``, those of ``district`` first."""
        halls = [hall for hall in self.halls if hall.id in item.place.halls]
        return tuple(sorted(halls, key=lambda hall: hall.district != district))


def _check_halls(services: Sequence[ServiceItem], halls: Sequence[Hall]) -> None:
    known = {hall.id for hall in halls}
    for item in services:
        unknown = [name for name in item.place.halls if name not in known]
        if unknown:
            raise ConfigurationError(
                f"services/{item.id}.yml: place.halls: no hall {', '.join(unknown)}"
            )
