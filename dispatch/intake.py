"""Taking a complaint: words, place and photos in any order, at most three questions.

A :class:`Draft` is what is known so far; :class:`Intake` folds each message into it. The
three gaps are asked in this order: ``words``, ``place``, ``confirmed``.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dispatch.categories import Categories
from dispatch.classifier import CategoryClassifier
from dispatch.emergency import people_in_danger
from dispatch.gazetteer import Gazetteer, PlaceMatch

Gap = Literal["words", "place", "confirmed"]
Source = Literal["shared", "photo", "text", "typed"]

OTHER = "city.other"
"""Category of a described problem that fits no other."""
SURE_PLACE = 0.85
CLEAR_LEAD = 0.05
MAX_PHOTOS = 9
MAX_WORDS = 4000  # what an Open311 description can hold
_REPORT = ("report_pollution", "report_city_issue", "emergency")
_ADDRESS = re.compile(r"[路街道巷弄号栋幢村镇乡区园桥湖河站口厂院校场楼苑府湾里]")
_VAGUE = re.compile(
    r"^(我|想|要|来|一下|反映|投诉|举报|个|一|点|问题|事|情况|随手拍|上报|你们|给|这里|这|有|吧|啊|，|。|\s)*$"
)


_CHANGE = re.compile(r"改成|改为|改到|换成|换为|应该[是算]|算作|不是")
_ORDINAL = re.compile(r"^(?:就是|是|选)?第?([一二三123])[个条处]?(?:吧|。)?$")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Location(_Frozen):
    """A point in degrees (WGS 84) and where it came from."""

    latitude: float
    longitude: float
    source: Source = "shared"


class Spot(_Frozen):
    """Where the problem is; without coordinates when only an unknown address is given."""

    address: str
    district: str | None
    latitude: float | None
    longitude: float | None
    source: Source
    street: str | None = None


class Draft(_Frozen):
    """An unfinished complaint. ``notes`` are remarks for the next reply, by code."""

    id: str
    words: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    place: Spot | None = None
    place_options: tuple[Spot, ...] = ()
    category: str | None = None
    category_options: tuple[str, ...] = ()
    category_chosen: bool = False
    confirmed: bool = False
    place_tries: int = 0
    word_tries: int = 0
    message_id: str = ""
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


@dataclass(frozen=True)
class Heard:
    """One message as the dialogue understood it.

    ``choices`` are the values a pressed button carries (``category``, ``place``,
    ``confirmed``); ``places`` are place phrases found in the words.
    """

    message_id: str
    intent: str
    text: str
    places: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()
    choices: dict[str, str] | None = None


def new_draft() -> Draft:
    """Return an empty draft with a fresh id (the key that makes filing idempotent)."""
    return Draft(id=uuid.uuid4().hex)


class Intake:
    """Folds messages into drafts with the city's gazetteer, categories and classifier."""

    def __init__(
        self, gazetteer: Gazetteer, classifier: CategoryClassifier, categories: Categories
    ) -> None:
        self._gazetteer = gazetteer
        self._classifier = classifier
        self._categories = categories

    def absorb(self, draft: Draft, heard: Heard) -> Draft:
        """Return the draft after ``heard``. A message seen before changes nothing."""
        if heard.message_id == draft.message_id:
            return draft
        asked = draft.gap if draft.message_id else None
        draft = draft.model_copy(update={"message_id": heard.message_id, "notes": ()})
        draft = self._absorb_photos(draft, heard.photos)
        for location in heard.locations:
            draft = self._absorb_location(draft, location)
        if heard.choices is not None:
            return self._absorb_choice(draft, heard)
        if not heard.text.strip():
            return draft
        if asked == "place":
            return self._answer_place(draft, heard)
        if asked == "confirmed":
            return self._answer_confirmation(draft, heard)
        return self._absorb_words(draft, heard, asked=asked == "words")

    # --- photos and points ------------------------------------------------------------

    @staticmethod
    def _absorb_photos(draft: Draft, photos: tuple[str, ...]) -> Draft:
        new = tuple(photo for photo in dict.fromkeys(photos) if photo not in draft.photos)
        kept = (draft.photos + new)[:MAX_PHOTOS]
        notes = draft.notes
        if len(draft.photos) + len(new) > MAX_PHOTOS:
            notes += ("too_many_photos",)
        elif new:
            notes += ("photos_received",)
        return draft.model_copy(update={"photos": kept, "notes": notes})

    def _absorb_location(self, draft: Draft, location: Location) -> Draft:
        """A shared point wins over all else; a photo's point only fills an open place."""
        if location.source == "photo" and draft.place is not None:
            return draft
        if not self._gazetteer.contains(location.latitude, location.longitude):
            if location.source == "photo":
                return draft
            return draft.model_copy(update={"notes": (*draft.notes, "outside_city")})
        found = self._gazetteer.locate(location.latitude, location.longitude)
        spot = Spot(
            address=found.address,
            district=found.district,
            street=found.street,
            latitude=location.latitude,
            longitude=location.longitude,
            source=location.source,
        )
        return _placed(draft, spot)

    # --- buttons ----------------------------------------------------------------------

    def _absorb_choice(self, draft: Draft, heard: Heard) -> Draft:
        choices = heard.choices or {}
        if heard.intent == "affirm" and draft.gap == "confirmed":
            return draft.model_copy(update={"confirmed": True})
        if heard.intent == "change_place":
            return draft.model_copy(update={"place": None, "place_options": (), "place_tries": 0})
        if heard.intent == "change_category":
            return draft.model_copy(update={"notes": (*draft.notes, "choose_category")})
        if heard.intent == "choose_category" and choices.get("category") in self._categories:
            update = {"category": choices["category"], "category_chosen": True}
            confirmed = bool(choices.get("confirmed")) and draft.gap == "confirmed"
            return draft.model_copy(update={**update, "confirmed": confirmed})
        if heard.intent == "choose_place":
            return self._choose_place(draft, choices.get("place", ""))
        return draft

    @staticmethod
    def _choose_place(draft: Draft, number: str) -> Draft:
        if number.isdecimal() and int(number) < len(draft.place_options):
            return _placed(draft, draft.place_options[int(number)])
        return draft

    # --- words ------------------------------------------------------------------------

    def _absorb_words(self, draft: Draft, heard: Heard, *, asked: bool) -> Draft:
        proposal = self._classifier.propose(heard.text)
        told = proposal.code is not None or (heard.intent in _REPORT and not is_vague(heard.text))
        if asked and not told and (draft.word_tries or len(heard.text.strip()) >= 8):
            told = not is_vague(heard.text)
        if told:
            draft = self.add_words(draft, heard.text)
        elif asked:
            draft = draft.model_copy(update={"word_tries": draft.word_tries + 1})
        if draft.place is None or draft.place.source == "photo":  # words weigh more than EXIF
            spots = self._spots(heard)
            if _is_clear(spots):
                draft = _placed(draft, spots[0][0])
        return draft

    def add_words(self, draft: Draft, text: str) -> Draft:
        """Return the draft with one more statement, and the category all of them suggest."""
        words = draft.words if text in draft.words else (*draft.words, text)
        if len("\n".join(words)) > MAX_WORDS:
            return draft.model_copy(update={"notes": (*draft.notes, "words_full")})
        danger = ("danger",) if people_in_danger(text) else ()
        update = {"words": words, "confirmed": False, "notes": draft.notes + danger}
        draft = draft.model_copy(update=update)
        if draft.category_chosen:
            return draft
        proposal = self._classifier.propose(draft.description)
        ranked = tuple(code for code, _ in proposal.ranked if code in self._categories)
        if proposal.code is None:
            return draft.model_copy(update={"category": OTHER, "category_options": ranked[:2]})
        options = () if proposal.confident else ranked[:3]
        return draft.model_copy(update={"category": proposal.code, "category_options": options})

    def _describe_point(self, draft: Draft, spot: Spot, heard: Heard) -> Draft:
        """Words next to a shared point: more of the problem, or where exactly it is."""
        named = bool(self._spots(heard))
        if heard.intent in _REPORT or (not named and self._describes(heard.text)):
            return self.add_words(draft, heard.text)
        detailed = spot.model_copy(update={"address": f"{spot.address}（{heard.text.strip()}）"})
        return draft.model_copy(update={"place": detailed})

    def _add_facts(self, draft: Draft, heard: Heard) -> Draft:
        """Keep what a message about the place says of the problem as well."""
        if heard.intent in _REPORT or self._describes(heard.text):
            return self.add_words(draft, heard.text)
        return draft

    def _describes(self, text: str) -> bool:
        """Tell whether a text surely describes a problem."""
        proposal = self._classifier.propose(text)
        return proposal.code is not None and proposal.confident

    # --- place ------------------------------------------------------------------------

    def _answer_place(self, draft: Draft, heard: Heard) -> Draft:
        if draft.place is not None:  # a point came along with the words
            return self._describe_point(draft, draft.place, heard)
        ordinal = _ORDINAL.match(heard.text.strip())
        if ordinal and draft.place_options:
            return self._choose_place(draft, str("一二三123".index(ordinal.group(1)) % 3))
        spots = self._spots(heard)
        if _is_clear(spots):
            return self._add_facts(_placed(draft, spots[0][0]), heard)
        if spots and draft.place_tries == 0:
            options = tuple(spot for spot, _ in spots[:3])
            return draft.model_copy(update={"place_options": options, "place_tries": 1})
        if draft.place_tries and _ADDRESS.search(heard.text):
            return _placed(draft, _typed(heard.text.strip()))
        if heard.intent in _REPORT:
            draft = self.add_words(draft, heard.text)
        return draft.model_copy(
            update={
                "place_tries": draft.place_tries + 1,
                "place_options": (),
                "notes": (*draft.notes, "place_not_found"),
            }
        )

    def _spots(self, heard: Heard) -> list[tuple[Spot, float]]:
        """Return candidate spots with scores, best first, one for each point (some 10 m)."""
        phrases = (*heard.places, heard.text)
        best: dict[tuple[float, float], tuple[Spot, float]] = {}
        for phrase in phrases:
            for match in self._gazetteer.find(phrase):
                point = (round(match.latitude, 4), round(match.longitude, 4))
                if point not in best or best[point][1] < match.score:
                    best[point] = (_spot(match), match.score)
        return sorted(best.values(), key=lambda pair: -pair[1])

    # --- confirmation -----------------------------------------------------------------

    def _answer_confirmation(self, draft: Draft, heard: Heard) -> Draft:
        if heard.intent == "affirm":
            return draft.model_copy(update={"confirmed": True})
        if _CHANGE.search(heard.text):
            said = self._said_category(heard.text)
            if said:
                return draft.model_copy(update={"category": said, "category_chosen": True})
        spots = self._spots(heard)
        if heard.intent not in _REPORT and spots and spots[0][1] >= SURE_PLACE:
            return self._add_facts(_placed(draft, spots[0][0]), heard)
        named = self._named_category(heard.text)
        if heard.intent in ("correct", "deny") and named:
            return draft.model_copy(update={"category": named, "category_chosen": True})
        if heard.intent == "correct" and heard.places:
            return _placed(draft, _typed(heard.places[0]))
        if heard.intent in ("deny", "correct"):
            return draft.model_copy(update={"notes": (*draft.notes, "what_is_wrong")})
        if is_vague(heard.text):
            return draft
        return self.add_words(draft, heard.text)

    def _named_category(self, text: str) -> str | None:
        """Return the category the citizen says outright, or surely describes."""
        said = self._said_category(text)
        if said:
            return said
        proposal = self._classifier.propose(text)
        return proposal.code if proposal.confident else None

    def _said_category(self, text: str) -> str | None:
        """Return the category named last and not denied: 不是生活垃圾，是建筑垃圾."""
        named = [
            (found.start(), category.code)
            for category in self._categories
            for found in re.finditer(rf"(?<!不是)(?<!不算){re.escape(category.name)}", text)
        ]
        return max(named)[1] if named else None


def is_vague(text: str) -> bool:
    """Tell whether a text names no problem: only the wish to complain, or no word at all."""
    return not any(char.isalnum() for char in text) or _VAGUE.match(text) is not None


def _placed(draft: Draft, spot: Spot) -> Draft:
    update = {"place": spot, "place_options": (), "place_tries": 0, "confirmed": False}
    return draft.model_copy(update=update)


def _spot(match: PlaceMatch) -> Spot:
    return Spot(
        address=match.address,
        district=match.district,
        street=match.street,
        latitude=match.latitude,
        longitude=match.longitude,
        source="text",
    )


def _typed(address: str) -> Spot:
    """An address as the citizen wrote it, unknown to the gazetteer."""
    return Spot(address=address, district=None, latitude=None, longitude=None, source="typed")


def _is_clear(spots: list[tuple[Spot, float]]) -> bool:
    """Tell whether the best candidate is sure and well ahead of the next."""
    if not spots or spots[0][1] < SURE_PLACE:
        return False
    return len(spots) == 1 or spots[0][1] - spots[1][1] >= CLEAR_LEAD
