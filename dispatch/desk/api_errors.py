"""A GeoReport request the desk refuses, with the HTTP status the specification names."""

from __future__ import annotations

from dispatch.open311.models import ServerError


class ApiError(Exception):
    """Answered as the specification's error list.

    Args:
        status: HTTP status.
        *descriptions: one English sentence per problem, for the calling system.
    """

    def __init__(self, status: int, *descriptions: str) -> None:
        super().__init__("; ".join(descriptions))
        self.status = status
        self.errors = tuple(ServerError(str(status), text) for text in descriptions)
