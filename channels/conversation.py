"""One message in, one answer out: the way every channel shares."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import structlog

from base.errors import InputError, TooLargeError
from base.identity import citizen_id
from base.metrics import MESSAGES
from base.settings import Settings
from channels.attachments import (
    CheckedMedia,
    check_location,
    check_photo,
    check_video,
)
from channels.handover import PersonInChat, answered, is_about_queue, words_of
from channels.hearing import Hearing
from channels.linking import INTENT as LINKING
from channels.linking import Linking, concerns_links
from channels.markup import without_markup
from channels.message import (
    Answer,
    Audio,
    Entity,
    Message,
    Photo,
    Reply,
    SharedLocation,
    Understanding,
    Video,
)
from channels.own_data import INTENT as EXPORT
from channels.own_data import asks_for_copy, link_replies
from channels.payloads import is_payload
from channels.rasa import RasaClient
from channels.scanning import load_scanner
from channels.spoken import SpokenPolicy, Taken
from dispatch.classification.classifier import CategoryClassifier
from dispatch.reporting.intake import OTHER, is_vague
from enquiries.handover.states import State
from store.database import reading, unit_of_work
from store.media import save_media, sent_before
from store.models import Media, plain
from store.unclear import keep_unclear

log = structlog.get_logger(__name__)

MAX_VIDEOS = 1
READERS = 4
"""Threads that read ahead the words of messages with photos; what is more waits its turn."""
FALLBACK = "nlu_fallback"
_FOR_ANYBODY = frozenset(
    {
        "ask_service",
        "ask_materials",
        "ask_place_time",
        "ask_fee",
        "ask_duration",
        "choose_service",
        "choose_situation",
        "goodbye",
        "greet",
        "help",
        "thank",
    }
)
"""Intents whose answers say nothing of who asked."""
_WORD = re.compile(r"[^\W_]")
_REPORTS = frozenset({"report_pollution", "report_city_issue", "emergency"})
_MAY_DESCRIBE = frozenset({"inform", "supplement_ticket", "correct", FALLBACK})


_NOTHING: Future[None] = Future()
_NOTHING.set_result(None)
"""Nothing to wait for."""


@dataclass(frozen=True)
class _Attached:
    """What came with a message and passed every check."""

    photos: tuple[CheckedMedia, ...]
    videos: tuple[CheckedMedia, ...]
    points: tuple[SharedLocation, ...]


class Conversation:
    """Checks and stores what came in, asks Rasa, and shapes the answer."""

    def __init__(
        self, settings: Settings, rasa: RasaClient, classifier: CategoryClassifier
    ) -> None:
        self._settings = settings
        self._rasa = rasa
        self._classifier = classifier
        self._person = PersonInChat(settings, rasa)
        self._hearing = Hearing(settings)
        self._spoken = SpokenPolicy(settings, rasa)
        self._scanner = load_scanner(settings)
        self._linking = Linking(settings)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read-ahead")

    @property
    def recogniser(self) -> str:
        """Name of what hears recordings, ``none`` without one."""
        return self._hearing.engine

    def speaks_slowly(self, citizen: str) -> bool:
        """Tell whether answers are read slowly to a citizen."""
        return self._spoken.is_slow(citizen)

    def handle(self, message: Message) -> Answer:
        """Answer one message.

        Raises:
            InputError: ``message_empty``, ``text_too_long``, ``location_out_of_range``,
                ``too_many_photos``, ``too_many_videos`` and those of channels.attachments and
                channels.hearing.
            UpstreamError: ``assistant_unavailable``, ``media_unavailable``, ``speech_busy``,
                ``scanner_unavailable``.
        """
        typed = message.text.strip()
        self._check_text(typed, message)
        sender = citizen_id(message.channel, message.conversation_id)
        about_links = None if message.attachments else self._linking.answer(sender, typed)
        if about_links is not None:
            return answered(message, about_links, LINKING)
        heard = self._hearing.hear(message.attachments)
        person = self._person.state_of(sender)
        if person is State.SERVING and heard is not None and heard.text:
            taken = Taken("，".join(part for part in (typed, heard.text) if part))
        else:
            taken = self._spoken.take(sender, typed, heard)
        answer = self._handle(message, sender, person, taken)
        if heard is None and not taken.aloud:
            return answer
        transcript = (heard.text or None) if heard else None
        told = self._spoken.told(sender, answer.replies)
        return answer.model_copy(update={"transcript": transcript, "replies": told})

    def _handle(self, message: Message, sender: str, person: State | None, taken: Taken) -> Answer:
        """Answer what is left of a message when its recordings have become words."""
        said = tuple(Reply.of(reply) for reply in taken.said)
        others = [a for a in message.attachments if not isinstance(a, Audio)]
        if said and not taken.text and not others:
            return self._without_assistant(message, taken, said)
        text = taken.text
        if not others and asks_for_copy(text):
            return answered(message, link_replies(self._settings, sender), EXPORT)
        if person or is_about_queue(text):
            replies = None if others else self._person.answer_words(sender, text)
            if replies is not None:
                return answered(message, replies)
        served = person is State.SERVING and not is_payload(text)
        plain = text if is_payload(text) else without_markup(text)
        reading = _NOTHING if served else self._read_ahead(plain, message)
        message_id = _unique_id(sender, message.message_id)
        attached = self._check_attachments(message)
        metadata = self._metadata(sender, plain, attached, message_id)
        if served:
            words = words_of(text, metadata)
            passed = self._person.pass_on(sender, words, message_id)
            if passed is not None:
                return answered(message, passed)
        reading.result()
        named = "message_id" in message.model_fields_set
        raw = self._rasa.send(sender, message.channel, _for_rasa(plain), metadata, named=named)
        understanding = self._understanding(raw["understanding"], plain)
        if person is State.WAITING:
            words = words_of(text, metadata)
            self._person.remember(sender, words, raw["replies"], message_id)
        if plain and not is_payload(plain):
            self._keep_unclear(raw["understanding"], understanding, plain, message_id)
        MESSAGES.labels(understanding.intent).inc()
        log.info(
            "message",
            citizen=sender,
            intent=understanding.intent,
            confidence=round(understanding.confidence, 2),
            category=understanding.category,
            photos=len(attached.photos),
            videos=len(attached.videos),
        )
        return Answer(
            conversation_id=message.conversation_id,
            understanding=understanding,
            replies=(*_replies(raw["replies"]), *said),
        )

    def _without_assistant(self, message: Message, taken: Taken, said: tuple[Reply, ...]) -> Answer:
        """Return what the spoken-word policy says by itself."""
        understanding = Understanding(intent=FALLBACK, confidence=0.0)
        if taken.parse is not None:
            understanding = self._understanding(taken.parse, taken.read_back)
        return Answer(
            conversation_id=message.conversation_id, understanding=understanding, replies=said
        )

    def handle_in_public(self, message: Message, private_link: str) -> Answer:
        """Answer one message that others read, as far as it asks what anybody may hear.

        What is about a person or a case never reaches the assistant: it is asked to move to
        ``private_link``, an address of ours or words that say where.

        Raises:
            InputError: as :meth:`handle`.
            UpstreamError: as :meth:`handle`.
        """
        text = message.text.strip()
        parse = self._rasa.understand(_for_rasa(text)) if text and not message.attachments else {}
        intent = str((parse.get("intent") or {}).get("name") or FALLBACK)
        private = concerns_links(text) or asks_for_copy(text)
        if intent in _FOR_ANYBODY and not private:
            return self.handle(message)
        words = f"这里人多，个人的事、投诉和办件进度请私下跟我说：{private_link}"
        return Answer(
            conversation_id=message.conversation_id,
            understanding=Understanding(intent=intent, confidence=0.0),
            replies=(Reply.of({"text": words}),),
        )

    def _read_ahead(self, text: str, message: Message) -> Future[None]:
        """Let the words be understood while the photos that came with them are looked at."""
        looked_at = any(isinstance(a, Photo | Video) for a in message.attachments)
        if not text or is_payload(text) or not looked_at:
            return _NOTHING
        self._readers.submit(self._classifier.propose, text)  # it remembers
        return self._readers.submit(copy_context().run, self._rasa.read_ahead, _for_rasa(text))

    def _check_text(self, text: str, message: Message) -> None:
        if not text and not message.attachments:
            raise InputError(
                "message_empty", "您还没有输入内容，请打字、发照片或发位置。", "empty message"
            )
        if len(text) > self._settings.max_text_chars:
            raise TooLargeError(
                "text_too_long",
                f"内容太长了，请控制在{self._settings.max_text_chars}字以内，可以分几次发。",
                f"{len(text)} characters",
            )

    def _check_attachments(self, message: Message) -> _Attached:
        photos = [a for a in message.attachments if isinstance(a, Photo)]
        videos = [a for a in message.attachments if isinstance(a, Video)]
        points = [a for a in message.attachments if isinstance(a, SharedLocation)]
        if len(photos) > self._settings.max_photos:
            raise InputError(
                "too_many_photos",
                f"一次最多发{self._settings.max_photos}张照片。",
                f"{len(photos)} photos",
            )
        if len(videos) > MAX_VIDEOS:
            raise InputError(
                "too_many_videos",
                "一次最多发一段视频，其余的可以接着再发。",
                f"{len(videos)} videos",
            )
        for point in points:
            check_location(point)
        return _Attached(
            tuple(check_photo(photo, self._settings, self._scanner) for photo in photos),
            tuple(check_video(video, self._settings, self._scanner) for video in videos),
            tuple(points),
        )

    @staticmethod
    def _metadata(sender: str, text: str, attached: _Attached, message_id: str) -> dict[str, Any]:
        """Store photos and videos and describe the message for the actions."""
        evidence = [photo.evidence for photo in attached.photos]
        return {
            "text": text,
            "photos": _keep(sender, attached.photos),
            "videos": _keep(sender, attached.videos),
            "locations": [
                {"latitude": p.latitude, "longitude": p.longitude, "source": "shared"}
                for p in attached.points
            ]
            + [
                {"latitude": e["latitude"], "longitude": e["longitude"], "source": "photo"}
                for e in evidence
                if "latitude" in e
            ],
            "taken_at": [e["taken_at"] for e in evidence if "taken_at" in e],
            "message_id": message_id,
        }

    def _understanding(self, parse: dict[str, Any], text: str) -> Understanding:
        intent = parse.get("intent") or {}
        name = str(intent.get("name") or FALLBACK)
        return Understanding(
            intent=name,
            confidence=float(intent.get("confidence") or 0.0),
            entities=tuple(
                dict.fromkeys(  # two extractors may find the same
                    Entity(entity=str(e["entity"]), value=str(e["value"]))
                    for e in parse.get("entities") or ()
                )
            ),
            category=self._category(name, text),
        )

    def _keep_unclear(
        self, parse: dict[str, Any], understanding: Understanding, text: str, message_id: str
    ) -> None:
        """Keep what was hardly understood, masked, for ``shimin nlu review``."""
        if understanding.confidence >= self._settings.review_below and (
            understanding.intent != FALLBACK
        ):
            return
        ranking = [
            {"name": str(rank["name"]), "confidence": round(float(rank["confidence"]), 4)}
            for rank in parse.get("intent_ranking") or ()
            if rank["name"] != FALLBACK
        ]
        with unit_of_work() as session:
            keep_unclear(session, message_id, text, ranking, self._settings.review_keep_days)

    def _category(self, intent: str, text: str) -> str | None:
        if intent not in _REPORTS | _MAY_DESCRIBE or not text or is_payload(text):
            return None
        proposal = self._classifier.propose(text)
        if intent in _REPORTS and not is_vague(text):
            return proposal.code or OTHER
        return proposal.code if proposal.confident else None


def _unique_id(sender: str, message_id: str) -> str:
    """Name a message among those of everybody: clients choose their own ids."""
    return hashlib.sha256(f"{sender}:{message_id}".encode()).hexdigest()[:32]


def _keep(sender: str, items: Sequence[CheckedMedia]) -> list[str]:
    """Store what is new and return the id of each, without repetition.

    One unit of work each: the bytes of the next do not travel while a write lock is held.
    """
    ids = []
    for item in items:
        with reading() as session:
            known = sent_before(session, sender, item.data, item.perceptual_hash)
        with unit_of_work() as session:
            if known is None:
                media = save_media(
                    session,
                    sender,
                    item.data,
                    item.content_type,
                    item.evidence or None,
                    item.perceptual_hash,
                )
            else:
                media = session.get_one(Media, known.id)
                if media.evidence is None and item.evidence:
                    media.evidence = plain(item.evidence)
            ids.append(media.id)
    return list(dict.fromkeys(ids))


def _for_rasa(text: str) -> str:
    """Return what Rasa is told: the words, a button's payload, or a bare attachment."""
    if not text:
        return "/attach"
    if is_payload(text):
        return text
    words = text.lstrip("/").strip()
    return words if _WORD.search(words) else f"/{FALLBACK}"


def _replies(raw: list[dict[str, Any]]) -> tuple[Reply, ...]:
    return tuple(Reply.of({**reply["custom"], **reply}) for reply in raw)
