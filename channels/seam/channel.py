"""What a channel is: one small class between a platform's messages and ours.

A channel stores what its platform pushes (:func:`channels.seam.inbox.store_pushed`), turns stored
contents into what the citizen said (:meth:`Channel.hear`) and sends replies
(:meth:`Channel.send`). Order, joining of albums, retries, errors and what survives a crash are the
seam's: see docs/channels.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Event
from typing import Any, ClassVar

from fastapi import APIRouter

from channels.message import Content, Reply


class Capability(StrEnum):
    """What citizens can do on a channel, and what it can do for them."""

    PHOTO = "photo"
    ALBUM = "album"
    VIDEO = "video"
    VOICE = "voice"
    LOCATION = "location"
    BUTTONS = "buttons"
    PROACTIVE = "proactive"
    """It may speak first: ticket steps, notices, reminders."""
    TYPING = "typing"


@dataclass(frozen=True)
class Heard:
    """What a citizen said.

    ``in_public`` tells that others read the conversation: only general enquiries are answered
    there, anything about a person or a case is asked to move to ``private_link``.
    """

    content: Content
    in_public: bool = False
    private_link: str = ""


Hearing = Heard | tuple[Reply, ...]
"""What was said, or what is answered without asking the assistant; empty: nothing is."""


class Channel:
    """Base of every channel; ``name`` is the first part of its citizens' ids.

    Methods are called from several threads at once. What a channel needs of asynchronous
    libraries stays inside its own room.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    answer_grace: timedelta = timedelta()
    """How long after a message came in its answer is left to a webhook that is still open."""

    @property
    def routes(self) -> APIRouter | None:
        """Routes of the gateway that only store what is pushed; None without a webhook."""
        return None

    def start(self) -> None:
        """Make ready to hear and send; called once in the process of the channels."""

    def close(self) -> None:
        """Let go of connections; called once after everything else."""

    def receive(self, stop: Event) -> None:
        """Fetch what was pushed and store it, until ``stop``; returns at once with a webhook.

        Raises:
            Exception: anything; it is logged and the loop begun again after a pause.
        """

    def hear(self, conversation_id: str, parts: Sequence[Any]) -> Hearing:
        """Turn stored contents (one, or the parts of an album) into what was said.

        Called again with the same parts after a crash or an upstream error: whatever it does
        besides must bear that.

        Raises:
            InputError: it cannot be used; the citizen is told why.
            UpstreamError: the platform does not give what belongs to it; tried again.
        """
        raise NotImplementedError

    def divide(self, reply: Reply) -> tuple[Reply, ...]:
        """Return a reply as replies that fit one message of the platform each."""
        return (reply,)

    def send(self, conversation_id: str, reply: Reply) -> None:
        """Send one message of :meth:`divide`.

        Raises:
            DeliveryError: see channels.seam.errors.
        """
        raise NotImplementedError

    def typing(self, conversation_id: str) -> None:
        """Show that an answer is being written; failing is no loss."""
