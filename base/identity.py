"""Who a message belongs to."""

from __future__ import annotations


def citizen_id(channel: str, conversation_id: str) -> str:
    """The id of a citizen in every room: ``<channel>:<conversation id>``."""
    return f"{channel}:{conversation_id}"


def channel_of(citizen: str) -> str:
    """The channel in a citizen's id."""
    return citizen.partition(":")[0]
