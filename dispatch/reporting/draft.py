"""An unfinished complaint and the messages it grows from: plain values, no rules."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Gap = Literal["words", "place", "confirmed"]
Source = Literal["shared", "photo", "text", "typed"]

MAX_PHOTOS = 9
MAX_VIDEOS = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Location(_Frozen):
    """A point in degrees (WGS 84) and where it came from."""

    latitude: float
    longitude: float
    source: Source = "shared"


class Spot(_Frozen):
    """Where the problem is; without coordinates when only an unknown address is given.

    ``kind`` is that of :class:`dispatch.places.gazetteer.PlaceMatch`, empty when unknown: the
    point of a road, river or district stands for all of it.
    """

    address: str
    district: str | None
    latitude: float | None
    longitude: float | None
    source: Source
    street: str | None = None
    kind: str = ""


class Occurred(_Frozen):
    """When it happened, from the words or from the moment a photo was taken.

    ``start`` is None when the beginning is unknown (好几天了); ``shown`` is how the citizen reads
    it in the summary.
    """

    start: datetime | None
    end: datetime
    shown: str
    source: Literal["words", "photo"] = "words"


class Contact(_Frozen):
    """How to reach a citizen who does not want to stay anonymous."""

    phone: str
    name: str | None = None


class Problems(_Frozen):
    """Separate problems told in one statement, in the order told."""

    statement: str
    parts: tuple[str, ...]


class Draft(_Frozen):
    """An unfinished complaint. ``notes`` are remarks for the next reply, by code.

    ``photo_spots`` is where photos were taken; ``photo_place`` tells whether the citizen was
    asked which holds, such a spot or the place he named. ``problems`` are offered to be reported
    one by one until he has decided (``undivided`` afterwards); ``waiting`` are the later ones.
    """

    id: str
    words: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    place: Spot | None = None
    place_options: tuple[Spot, ...] = ()
    photo_spots: tuple[Spot, ...] = ()
    photo_place: Literal["", "asked", "settled"] = ""
    occurred: Occurred | None = None
    contact: Contact | None = None
    contact_asked: bool = False
    category: str | None = None
    category_options: tuple[str, ...] = ()
    category_chosen: bool = False
    problems: Problems | None = None
    undivided: bool = False
    waiting: tuple[Draft, ...] = ()
    confirmed: bool = False
    place_tries: int = 0
    word_tries: int = 0
    message_id: str = ""
    changed_at: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def gap(self) -> Gap | None:
        """What is asked next; None when the draft can be filed."""
        if not self.words:
            return "words"
        if self.place is None:
            return "place"
        return None if self.confirmed else "confirmed"

    @property
    def description(self) -> str:
        """The citizen's words, one statement a line."""
        return "\n".join(self.words)

    def noting(self, *notes: str) -> Draft:
        """Return the draft with more remarks for the next reply."""
        return self.model_copy(update={"notes": (*self.notes, *notes)})

    def without(self, note: str) -> Draft:
        """Return the draft without a remark."""
        return self.model_copy(update={"notes": tuple(n for n in self.notes if n != note)})


@dataclass(frozen=True)
class Heard:
    """One message as the dialogue understood it.

    ``choices`` are the values a pressed button carries (``category``, ``place``,
    ``confirmed``, ``split``, ``contact``); ``places`` are place phrases found in the words;
    ``taken_at`` is when the photos were taken, as far as they tell.
    """

    message_id: str
    intent: str
    text: str
    places: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    taken_at: tuple[datetime, ...] = ()
    locations: tuple[Location, ...] = ()
    choices: dict[str, str] | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def only_media(self) -> bool:
        """Whether the message is nothing but photos or videos."""
        return bool(self.photos or self.videos) and not self.text.strip() and not self.choices


def new_draft() -> Draft:
    """Return an empty draft with a fresh id (the key that makes filing idempotent)."""
    return Draft(id=uuid.uuid4().hex)
