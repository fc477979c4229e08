"""What every channel turns its platform's messages into, and what comes back."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ConversationId = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f\x7f]{1,100}$")]
ChannelName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,29}$")]

MessageId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,40}$")]
"""A sender's own name of a message: the same message sent again under it is handled once."""

_UNSPOKEN = str.maketrans({"【": None, "】": "，", "“": None, "”": None})


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Photo(_Model):
    """A photo, base64."""

    type: Literal["photo"]
    content_type: str = Field(max_length=100)
    data: str = Field(repr=False)


class Video(_Model):
    """A short video, base64."""

    type: Literal["video"]
    content_type: str = Field(max_length=100)
    data: str = Field(repr=False)


class Audio(_Model):
    """A recording, base64; ``transcript`` is what the platform it came through heard in it."""

    type: Literal["audio"]
    content_type: str = Field(max_length=100)
    data: str = Field(repr=False)
    transcript: str | None = Field(default=None, max_length=2000, repr=False)


class SharedLocation(_Model):
    """A point in degrees, WGS 84; its range is checked with a friendly error later."""

    type: Literal["location"]
    latitude: float
    longitude: float


Attachment = Annotated[Photo | Video | Audio | SharedLocation, Field(discriminator="type")]


def _whole(text: str) -> str:
    """Drop halves of characters (lone surrogates), which no encoding can carry."""
    return text.encode("utf-8", "ignore").decode()


class Content(_Model):
    """What a citizen sends, whatever the channel."""

    text: Annotated[str, AfterValidator(_whole)] = Field(default="", repr=False)
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=20)


class Message(Content):
    """A message with its sender."""

    conversation_id: ConversationId
    channel: ChannelName
    message_id: MessageId = Field(default_factory=lambda: secrets.token_hex(8))


class Button(_Model):
    """A suggestion; pressing it sends ``payload`` as text."""

    title: str
    payload: str


class Card(_Model):
    """Something with a title and named fields."""

    kind: Literal["service", "ticket", "policy"]
    id: str
    title: str
    fields: dict[str, str]


class Reply(_Model):
    """One reply; ``speech`` is how it is read aloud."""

    text: str
    speech: str
    buttons: tuple[Button, ...] = ()
    cards: tuple[Card, ...] = ()

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Reply:
        """Build from the text, buttons and cards that an action or the relay produced.

        ``speech`` is given where the answer read aloud is shorter than the one to read.
        """
        text = str(raw.get("text") or "")
        return cls(
            text=text,
            speech=speakable(str(raw.get("speech") or text)),
            buttons=tuple(
                Button(title=b["title"], payload=b["payload"]) for b in raw.get("buttons") or ()
            ),
            cards=tuple(Card.model_validate(card) for card in raw.get("cards") or ()),
        )


class Entity(_Model):
    """Something the message names."""

    entity: str
    value: str


class Understanding(_Model):
    """How the message was understood; ``category`` only when it describes a problem."""

    intent: str
    confidence: float
    entities: tuple[Entity, ...] = ()
    category: str | None = None


class Answer(_Model):
    """The answer of the Chat API."""

    conversation_id: str
    transcript: str | None = None
    understanding: Understanding
    replies: tuple[Reply, ...]


def speakable(text: str) -> str:
    """Return ``text`` as it should be read aloud: no list marks, pauses for line breaks."""
    lines = [line.strip().lstrip("·•-").strip() for line in text.splitlines()]
    spoken = [line if line[-1] in "。！？，；：" else f"{line}。" for line in lines if line]
    return "".join(spoken).translate(_UNSPOKEN)
