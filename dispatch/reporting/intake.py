"""Taking a complaint: words, place and photos in any order, at most three questions.

:class:`Intake` folds each message into a :class:`~dispatch.reporting.draft.Draft`. The three
gaps are asked in this order: ``words``, ``place``, ``confirmed``.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dispatch.classification.categories import Categories
from dispatch.classification.classifier import CategoryClassifier
from dispatch.places.gazetteer import Gazetteer
from dispatch.places.unknown_address import unknown_address
from dispatch.reporting.answers import Answer, direct_answer, pressed_answer
from dispatch.reporting.contact import take_contact
from dispatch.reporting.draft import (
    MAX_PHOTOS,
    Contact,
    Draft,
    Gap,
    Heard,
    Location,
    Occurred,
    Problems,
    Source,
    Spot,
    new_draft,
)
from dispatch.reporting.evidence import add_media, add_points, contradicting
from dispatch.reporting.problems import separate
from dispatch.reporting.spots import (
    SURE_PLACE,
    Candidate,
    as_typed,
    at_point,
    candidates,
    chosen,
    clear,
    known_point,
    placed,
)
from dispatch.reporting.when import add_photo_time, add_said_time

__all__ = [
    "MAX_PHOTOS",
    "MAX_WORDS",
    "OTHER",
    "Contact",
    "Draft",
    "Gap",
    "Heard",
    "Intake",
    "Location",
    "Occurred",
    "Source",
    "Spot",
    "is_vague",
    "new_draft",
    "next_problem",
]

OTHER = "city.other"
"""Category of a described problem that fits no other."""
LIKELY_PLACE = 0.7
"""Places this likely are shown to choose from when the place is first asked for."""
MAX_WORDS = 4000  # what an Open311 description can hold
_REPORT = ("report_pollution", "report_city_issue", "emergency")
_ADDRESS = re.compile(r"[路街道巷弄号栋幢村镇乡区园桥湖河站口厂院校场楼苑府湾里]")
_VAGUE = re.compile(
    r"^(我|想|要|来|一下|反映|投诉|举报|匿名|[一两三几]?[个件条]|一|点|问题|事儿?|情况|随手拍|上报"
    r"|你们|给|这里|这|有|吧|啊|，|。|\s)*$"
)
_CHANGE = re.compile(r"改成|改为|改到|换成|换为|应该[是算]|算作|不是")
_ORDINAL = re.compile(r"^(?:就是|是|选)?第?([一二三123])[个条处]?(?:吧|。)?$")


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
        remarks = draft.notes
        notes = () if draft.message_id else remarks
        fresh = {"message_id": heard.message_id, "changed_at": heard.at, "notes": notes}
        draft = draft.model_copy(update=fresh)
        before = draft.photo_spots
        draft = add_points(add_media(draft, heard), heard, self._gazetteer)
        if draft.place is None and draft.photo_spots != before:
            draft = placed(draft, draft.photo_spots[len(before)])
        for location in heard.locations:
            if location.source == "shared":
                draft = self._absorb_location(draft, location)
        draft = self._absorb_said(draft, heard, asked, remarks)
        draft = add_photo_time(draft, heard.taken_at, heard.at)
        draft = self._doubt_place(draft)
        if asked is not None and asked == draft.gap and heard.only_media:
            draft = draft.noting("asked_already")
        return draft

    def describes(self, text: str) -> bool:
        """Tell whether a text surely describes a problem."""
        proposal = self._classifier.propose(take_contact(text).text)
        return proposal.code is not None and proposal.confident

    def _absorb_said(
        self, draft: Draft, heard: Heard, asked: Gap | None, remarks: tuple[str, ...]
    ) -> Draft:
        """Fold in the words or the button; ``remarks`` of the last reply tell what it asked."""
        shown = draft.model_copy(update={"notes": remarks})
        answer = direct_answer(shown, heard.text) or pressed_answer(heard)
        draft = draft.model_copy(update={"contact_asked": answer == "leave_phone"})
        if answer is not None:
            return self._answer(draft, answer, heard.text)
        if heard.choices is not None:
            return self._absorb_choice(draft, heard)
        draft, text = told_contact(draft, heard.text)
        heard = replace(heard, text=text)
        if not heard.text.strip():
            return draft
        if asked == "confirmed":
            return self._answer_confirmation(draft, heard)
        draft = add_said_time(draft, heard.text, heard.at)
        if asked == "place":
            return self._answer_place(draft, heard)
        return self._absorb_words(draft, heard, asked=asked == "words")

    # --- points ----------------------------------------------------------------------

    def _absorb_location(self, draft: Draft, location: Location) -> Draft:
        """A point shared on purpose wins over what was said before."""
        if not self._gazetteer.contains(location.latitude, location.longitude):
            return draft.noting("outside_city")
        return placed(draft, at_point(self._gazetteer, location))

    def _doubt_place(self, draft: Draft) -> Draft:
        """Ask once which place holds when the photos were taken far from the one named."""
        spot = None if draft.photo_place else contradicting(draft, self._gazetteer)
        if spot is None or draft.place is None:
            return draft
        asking = {
            "place": None,
            "place_options": (spot, draft.place),
            "photo_place": "asked",
            "confirmed": False,
        }
        return draft.model_copy(update=asking)

    # --- buttons and short answers ----------------------------------------------------

    def _absorb_choice(self, draft: Draft, heard: Heard) -> Draft:
        choices = heard.choices or {}
        if heard.intent == "affirm" and draft.gap == "confirmed" and draft.problems is None:
            return draft.model_copy(update={"confirmed": True})
        if heard.intent == "change_place":
            return placed(draft, None)
        if heard.intent == "change_category":
            return draft.noting("choose_category")
        if heard.intent == "choose_category" and choices.get("category") in self._categories:
            update = {"category": choices["category"], "category_chosen": True}
            confirmed = bool(choices.get("confirmed")) and draft.gap == "confirmed"
            return draft.model_copy(update={**update, "confirmed": confirmed})
        if heard.intent == "choose_place":
            return chosen(draft, choices.get("place", ""))
        return draft

    def _answer(self, draft: Draft, answer: Answer, text: str) -> Draft:
        """Apply a short answer or the button that says the same."""
        if answer in ("photo_place", "named_place"):
            return chosen(draft, "0" if answer == "photo_place" else "1")
        if answer == "neither_place":
            return placed(draft, None)
        if answer == "anonymous":
            return draft.model_copy(update={"contact": None}).noting("contact_removed")
        if answer == "leave_phone":
            return draft.noting("leave_phone")
        if answer == "phone":
            return told_contact(draft, text, expected=True)[0]
        if answer == "nothing_more":
            return draft.model_copy(update={"confirmed": _is_ready(draft)})
        if draft.problems is None:
            return draft
        return self._divide(draft, draft.problems) if answer == "split" else _undivided(draft)

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
            draft = self._place_in_words(draft, heard)
        return draft

    def _place_in_words(self, draft: Draft, heard: Heard) -> Draft:
        """Take the place that words name: known, or an exact address taken as typed."""
        parts = draft.problems.parts if draft.problems else ()
        spots = self._find(draft, *heard.places, heard.text)
        for found in (spots, *(self._find(draft, part) for part in parts)):
            spot = clear(found)
            if spot:
                return placed(draft, spot)
        if draft.place is not None:
            return draft
        if spots and spots[0][1] >= LIKELY_PLACE:
            likely = tuple(spot for spot, score in spots[:3] if score >= LIKELY_PLACE)
            return draft.model_copy(update={"place_options": likely})
        address = unknown_address(heard.text)
        return placed(draft, as_typed(address)) if address else draft

    def add_words(self, draft: Draft, text: str) -> Draft:
        """Return the draft with one more statement, and the category all of them suggest."""
        words = draft.words if text in draft.words else (*draft.words, text)
        if len("\n".join(words)) > MAX_WORDS:
            return draft.noting("words_full")
        if self._categories.in_danger(text):
            draft = draft.noting("danger")
        parts = () if draft.undivided or draft.problems else separate(text, self._classifier)
        if parts:
            problems = Problems(statement=text, parts=parts)
            draft = draft.model_copy(update={"problems": problems})
        draft = draft.model_copy(update={"words": words, "confirmed": False})
        return draft if draft.category_chosen else self._proposed(draft)

    def _proposed(self, draft: Draft) -> Draft:
        """Return the draft with the category its words suggest."""
        proposal = self._classifier.propose(draft.description)
        ranked = tuple(code for code, _ in proposal.ranked if code in self._categories)
        if proposal.code is None:
            return draft.model_copy(update={"category": OTHER, "category_options": ranked[:2]})
        options = () if proposal.confident else ranked[:3]
        return draft.model_copy(update={"category": proposal.code, "category_options": options})

    def _divide(self, draft: Draft, problems: Problems) -> Draft:
        """Keep the first problem; the others wait until it is filed."""
        first, *others = problems.parts
        words = tuple(first if said == problems.statement else said for said in draft.words)
        draft = self._retold(draft, words)
        waiting = tuple(self._retold(new_draft(), (part,)) for part in others)
        return draft.model_copy(update={"waiting": waiting}).noting("divided")

    def _retold(self, draft: Draft, words: tuple[str, ...]) -> Draft:
        """Return the draft of one of several problems, with the place its own words name."""
        update = {
            "words": words,
            "problems": None,
            "undivided": True,
            "category_chosen": False,
            "confirmed": False,
        }
        draft = self._proposed(draft.model_copy(update=update))
        spot = clear(self._find(draft, words[-1]))
        return placed(draft, spot) if spot else draft

    def _describe_point(self, draft: Draft, spot: Spot, heard: Heard) -> Draft:
        """Words next to a shared point: more of the problem, or where exactly it is."""
        named = bool(self._find(draft, *heard.places, heard.text))
        if heard.intent in _REPORT or (not named and self.describes(heard.text)):
            return self.add_words(draft, heard.text)
        detailed = spot.model_copy(update={"address": f"{spot.address}（{heard.text.strip()}）"})
        return draft.model_copy(update={"place": detailed})

    def _add_facts(self, draft: Draft, heard: Heard) -> Draft:
        """Keep what a message about the place says of the problem as well."""
        if heard.intent in _REPORT or self.describes(heard.text):
            return self.add_words(draft, heard.text)
        return draft

    # --- place ------------------------------------------------------------------------

    def _answer_place(self, draft: Draft, heard: Heard) -> Draft:
        if draft.place is not None:  # a point came along with the words
            return self._describe_point(draft, draft.place, heard)
        ordinal = _ORDINAL.match(heard.text.strip())
        if ordinal and draft.place_options:
            return chosen(draft, str("一二三123".index(ordinal.group(1)) % 3))
        spots = self._find(draft, *heard.places, heard.text)
        spot = clear(spots)
        if spot:
            return self._add_facts(placed(draft, spot), heard)
        if spots and draft.place_tries == 0:
            options = tuple(spot for spot, _ in spots[:3])
            return draft.model_copy(update={"place_options": options, "place_tries": 1})
        address = unknown_address(heard.text)
        if address is None and draft.place_tries and _ADDRESS.search(heard.text):
            address = heard.text.strip()
        if address:
            return placed(draft, as_typed(address))
        if heard.intent in _REPORT:
            draft = self.add_words(draft, heard.text)
        unclear = {"place_tries": draft.place_tries + 1, "place_options": ()}
        return draft.model_copy(update=unclear).noting("place_not_found")

    def _find(self, draft: Draft, *phrases: str) -> list[Candidate]:
        return candidates(self._gazetteer, phrases, known_point(draft))

    # --- confirmation -----------------------------------------------------------------

    def _answer_confirmation(self, draft: Draft, heard: Heard) -> Draft:
        if heard.intent == "affirm":
            if draft.problems:  # a yes to "reported apart they are handled sooner"
                return self._divide(draft, draft.problems)
            return draft.model_copy(update={"confirmed": True})
        timed = add_said_time(draft, heard.text, heard.at)
        if _CHANGE.search(heard.text):
            said = self._said_category(heard.text)
            if said:
                return timed.model_copy(update={"category": said, "category_chosen": True})
        spots = self._find(draft, *heard.places, heard.text)
        if heard.intent not in _REPORT and spots and spots[0][1] >= SURE_PLACE:
            return self._add_facts(placed(timed, spots[0][0]), heard)
        if timed is not draft and (
            heard.intent in ("deny", "correct") or _CHANGE.search(heard.text)
        ):
            return timed
        named = self._named_category(heard.text)
        if heard.intent in ("correct", "deny") and named:
            return draft.model_copy(update={"category": named, "category_chosen": True})
        if heard.intent == "correct" and heard.places:
            return placed(draft, as_typed(heard.places[0]))
        if heard.intent in ("deny", "correct"):
            return draft.noting("what_is_wrong")
        if is_vague(heard.text):
            return draft
        return self.add_words(timed, heard.text)

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


def next_problem(draft: Draft) -> Draft | None:
    """Return the draft of the problem that waits behind a filed one, if any.

    Place, photos and contact are those of the filed one unless its own words name a place. It
    belongs to the message that filed the other: that is no answer to its own questions.
    """
    if not draft.waiting:
        return None
    following, *rest = draft.waiting
    shared = {
        "place": following.place or draft.place,
        "photos": draft.photos,
        "videos": draft.videos,
        "photo_place": "settled",
        "contact": draft.contact,
        "waiting": tuple(rest),
        "message_id": draft.message_id,
        "changed_at": draft.changed_at,
        "notes": ("next_problem",),
    }
    return following.model_copy(update=shared)


def told_contact(draft: Draft, text: str, *, expected: bool = False) -> tuple[Draft, str]:
    """Return the draft with the phone number that ``text`` leaves, and the words without it."""
    told = take_contact(text, expected=expected)
    if told.contact is None:
        return draft, text
    return draft.model_copy(update={"contact": told.contact}).noting("contact_saved"), told.text


def is_vague(text: str) -> bool:
    """Tell whether a text names no problem: only the wish to complain, or no word at all."""
    return not any(char.isalnum() for char in text) or _VAGUE.match(text) is not None


def _undivided(draft: Draft) -> Draft:
    """Report several problems as one: filed, unless the place or the category is still open."""
    update = {"problems": None, "undivided": True, "confirmed": _is_ready(draft)}
    return draft.model_copy(update=update)


def _is_ready(draft: Draft) -> bool:
    """Tell whether only the go-ahead is missing, and no category is to be chosen."""
    unsure = bool(draft.category_options) and not draft.category_chosen
    return draft.gap == "confirmed" and not unsure
