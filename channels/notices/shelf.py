"""The policies as they are on disk now: read again when a file has changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from matcher.policy import Policy, load_policies


@dataclass(frozen=True)
class Policies:
    """The policies, by id as well, and a short name of exactly this state of them."""

    all: tuple[Policy, ...]
    by_id: dict[str, Policy]
    fingerprint: str

    @classmethod
    def of(cls, policies: tuple[Policy, ...]) -> Policies:
        """Index policies and name their state."""
        digest = hashlib.sha256()
        for policy in policies:
            digest.update(policy.model_dump_json().encode())
        return cls(policies, {policy.id: policy for policy in policies}, digest.hexdigest()[:16])


class Shelf:
    """Keeps the policies of a folder; a new file is noticed without a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: frozenset[tuple[str, int, int]] | None = None
        self._policies: Policies | None = None

    def policies(self) -> Policies:
        """Return the present policies.

        Raises:
            ConfigurationError: a file is wrong; nothing is told from a half-written folder.
        """
        state = frozenset(
            (str(path), stat.st_mtime_ns, stat.st_size)
            for path in self._folder.glob("*/*.yml")
            for stat in [path.stat()]
        )
        if self._policies is None or state != self._state:
            self._policies = Policies.of(load_policies(self._folder))
            self._state = state
        return self._policies
