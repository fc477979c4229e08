"""One message in, one answer out: the way every channel shares."""

from __future__ import annotations

import re
import secrets
from typing import Any

import structlog

from base.errors import InputError, TooLargeError
from base.identity import citizen_id
from base.settings import Settings
from channels.attachments import CheckedPhoto, check_audio, check_location, check_photo
from channels.message import (
    Answer,
    Audio,
    Entity,
    Message,
    Photo,
    Reply,
    SharedLocation,
    Understanding,
)
from channels.payloads import is_payload
from channels.rasa import RasaClient
from dispatch.classifier import CategoryClassifier
from dispatch.intake import OTHER, is_vague
from store.database import unit_of_work
from store.media import save_media
from store.unclear import keep_unclear

log = structlog.get_logger(__name__)

FALLBACK = "nlu_fallback"
_WORD = re.compile(r"[^\W_]")
_REPORTS = frozenset({"report_pollution", "report_city_issue", "emergency"})
_MAY_DESCRIBE = frozenset({"inform", "supplement_ticket", "correct", FALLBACK})


class Conversation:
    """Checks and stores what came in, asks Rasa, and shapes the answer."""

    def __init__(
        self, settings: Settings, rasa: RasaClient, classifier: CategoryClassifier
    ) -> None:
        self._settings = settings
        self._rasa = rasa
        self._classifier = classifier

    def handle(self, message: Message) -> Answer:
        """Answer one message.

        Raises:
            InputError: ``message_empty``, ``text_too_long``, ``location_out_of_range``,
                ``too_many_photos``, ``speech_unavailable`` and those of channels.attachments.
            UpstreamError: ``assistant_unavailable``.
        """
        text = message.text.strip()
        self._check_text(text, message)
        photos = self._check_attachments(message)
        sender = citizen_id(message.channel, message.conversation_id)
        metadata = self._metadata(sender, text, photos, message)
        raw = self._rasa.send(sender, message.channel, _for_rasa(text), metadata)
        understanding = self._understanding(raw["understanding"], text)
        if text and not is_payload(text):
            self._keep_unclear(raw["understanding"], understanding, text, metadata["message_id"])
        log.info(
            "message",
            citizen=sender,
            intent=understanding.intent,
            confidence=round(understanding.confidence, 2),
            category=understanding.category,
            photos=len(photos),
        )
        return Answer(
            conversation_id=message.conversation_id,
            understanding=understanding,
            replies=_replies(raw["replies"]),
        )

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

    def _check_attachments(self, message: Message) -> list[CheckedPhoto]:
        given = [a for a in message.attachments if isinstance(a, Photo)]
        if len(given) > self._settings.max_photos:
            raise InputError(
                "too_many_photos",
                f"一次最多发{self._settings.max_photos}张照片。",
                f"{len(given)} photos",
            )
        for attachment in message.attachments:
            if isinstance(attachment, SharedLocation):
                check_location(attachment)
            if isinstance(attachment, Audio):
                check_audio(attachment, self._settings)
                raise InputError(
                    "speech_unavailable",
                    "现在还听不了语音，请用文字告诉我，或者用输入法的语音转文字。",
                    "no recogniser is configured",
                )
        return [check_photo(photo, self._settings) for photo in given]

    @staticmethod
    def _metadata(
        sender: str, text: str, photos: list[CheckedPhoto], message: Message
    ) -> dict[str, Any]:
        """Store the photos and describe the message for the actions."""
        ids = []
        if photos:
            with unit_of_work() as session:
                for photo in photos:
                    media = save_media(
                        session, sender, photo.data, photo.content_type, photo.evidence or None
                    )
                    ids.append(media.id)
        points = [
            {"latitude": a.latitude, "longitude": a.longitude, "source": "shared"}
            for a in message.attachments
            if isinstance(a, SharedLocation)
        ]
        points += [
            {
                "latitude": photo.evidence["latitude"],
                "longitude": photo.evidence["longitude"],
                "source": "photo",
            }
            for photo in photos
            if "latitude" in photo.evidence
        ]
        return {
            "text": text,
            "photos": ids,
            "locations": points,
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


def _for_rasa(text: str) -> str:
    """Return what Rasa is told: the words, a button's payload, or a bare attachment."""
    if not text:
        return "/attach"
    if is_payload(text):
        return text
    words = text.lstrip("/").strip()
    return words if _WORD.search(words) else f"/{FALLBACK}"


def _replies(raw: list[dict[str, Any]]) -> tuple[Reply, ...]:
    return tuple(Reply.of({**reply, "cards": reply["custom"].get("cards")}) for reply in raw)
