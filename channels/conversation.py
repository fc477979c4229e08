"""One message in, one answer out: the way every channel shares."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from base.errors import InputError, TooLargeError
from base.identity import citizen_id
from base.settings import Settings
from channels.attachments import (
    CheckedMedia,
    check_audio,
    check_location,
    check_photo,
    check_video,
)
from channels.handover import PersonInChat, answered, is_button, words_of
from channels.linking import INTENT as LINKING
from channels.linking import Linking
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
from channels.payloads import is_payload
from channels.rasa import RasaClient
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
        self._linking = Linking(settings)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read-ahead")

    def handle(self, message: Message) -> Answer:
        """Answer one message.

        Raises:
            InputError: ``message_empty``, ``text_too_long``, ``location_out_of_range``,
                ``too_many_photos``, ``too_many_videos``, ``speech_unavailable`` and those of
                channels.attachments.
            UpstreamError: ``assistant_unavailable``, ``media_unavailable``.
        """
        text = message.text.strip()
        self._check_text(text, message)
        sender = citizen_id(message.channel, message.conversation_id)
        about_links = None if message.attachments else self._linking.answer(sender, text)
        if about_links is not None:
            return answered(message, about_links, LINKING)
        person = self._person.state_of(sender)
        if person or is_button(text):
            said = None if message.attachments else self._person.answer_words(sender, text)
            if said is not None:
                return answered(message, said)
        served = person is State.SERVING and not is_payload(text)
        reading = _NOTHING if served else self._read_ahead(text, message)
        attached = self._check_attachments(message)
        metadata = self._metadata(sender, text, attached)
        if served:
            passed = self._person.pass_on(sender, words_of(text, metadata))
            if passed is not None:
                return answered(message, passed)
        reading.result()
        raw = self._rasa.send(sender, message.channel, _for_rasa(text), metadata)
        understanding = self._understanding(raw["understanding"], text)
        if person is State.WAITING:
            self._person.remember(sender, words_of(text, metadata), raw["replies"])
        if text and not is_payload(text):
            self._keep_unclear(raw["understanding"], understanding, text, metadata["message_id"])
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
            replies=_replies(raw["replies"]),
        )

    def _read_ahead(self, text: str, message: Message) -> Future[None]:
        """Let the words be understood while the photos that came with them are looked at."""
        looked_at = any(isinstance(a, Photo | Video) for a in message.attachments)
        if not text or is_payload(text) or not looked_at:
            return _NOTHING
        self._readers.submit(self._classifier.propose, text)  # it remembers
        return self._readers.submit(self._rasa.read_ahead, _for_rasa(text))

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
        for audio in (a for a in message.attachments if isinstance(a, Audio)):
            check_audio(audio, self._settings)
            raise InputError(
                "speech_unavailable",
                "现在还听不了语音，请用文字告诉我，或者用输入法的语音转文字。",
                "no recogniser is configured",
            )
        return _Attached(
            tuple(check_photo(photo, self._settings) for photo in photos),
            tuple(check_video(video, self._settings) for video in videos),
            tuple(points),
        )

    @staticmethod
    def _metadata(sender: str, text: str, attached: _Attached) -> dict[str, Any]:
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
            "message_id": secrets.token_hex(8),
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
