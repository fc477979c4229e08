"""A channel of the seam whose platform is the test itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, ClassVar

from channels.message import Answer, Content, Message, Reply, Understanding
from channels.seam.channel import Capability, Channel, Heard, Hearing
from channels.seam.inbox import Pushed, store_pushed

START = datetime(2026, 5, 4, 10, tzinfo=UTC)


class Clock:
    """A moment that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def on(self, **span: float) -> None:
        self.now += timedelta(**span)


class Pigeons(Channel):
    """Contents are words; what is sent lies in ``sent``. ``trouble`` may raise before sending."""

    name: ClassVar[str] = "pigeon"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.ALBUM, Capability.PROACTIVE}
    )

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.trouble: Callable[[str, str], None] = lambda *_: None
        self.hearing: Callable[[Sequence[Any]], Hearing] = lambda parts: Heard(
            Content(text="+".join(parts))
        )
        self.began = self.ended = 0

    def start(self) -> None:
        self.began += 1

    def close(self) -> None:
        self.ended += 1

    def hear(self, conversation_id: str, parts: Sequence[Any]) -> Hearing:
        return self.hearing(parts)

    def divide(self, reply: Reply) -> tuple[Reply, ...]:
        return tuple(Reply.of({"text": line}) for line in reply.text.splitlines())

    def send(self, conversation_id: str, reply: Reply) -> None:
        self.trouble(conversation_id, reply.text)
        self.sent.append((conversation_id, reply.text))

    def texts(self, conversation_id: str) -> list[str]:
        return [text for to, text in self.sent if to == conversation_id]


def arrive(
    key: str, text: str, to: str = "c-1", album: str | None = None, replaces: str | None = None
) -> int:
    """Store one message as a receiver does; tells how many were new."""
    return store_pushed("pigeon", [Pushed(key, to, text, album, replaces)])


@dataclass
class Assistant:
    """Answers every message with its words, as often as it is asked."""

    heard: list[Message] = field(default_factory=list)
    trouble: Callable[[Message], None] = lambda _: None
    lock: Lock = field(default_factory=Lock)

    def handle(self, message: Message) -> Answer:
        self.trouble(message)
        with self.lock:
            self.heard.append(message)
        return _answer(message, f"答：{message.text}")

    def handle_in_public(self, message: Message, private_link: str) -> Answer:
        return _answer(message, f"请私聊：{private_link}")

    def texts(self) -> list[str]:
        return [message.text for message in self.heard]


def _answer(message: Message, text: str) -> Answer:
    return Answer(
        conversation_id=message.conversation_id,
        understanding=Understanding(intent="greet", confidence=1.0),
        replies=(Reply.of({"text": text}),),
    )
