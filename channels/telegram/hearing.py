"""What a citizen said: stored updates, with the files that belong to them, as one content."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence

from telegram import Audio as SoundFile
from telegram import Document, Message, PhotoSize, Update, VideoNote, Voice
from telegram import Video as VideoFile

from base.errors import InputError, TooLargeError
from base.settings import Settings
from channels.message import Attachment, Audio, Content, Photo, SharedLocation, Video
from channels.seam.channel import Heard
from channels.telegram.updates import is_group
from channels.telegram.words import MEANINGS, NO_FILE, NOT_UNDERSTOOD, TOO_BIG

LARGEST_FILE = 20 * 1024 * 1024
"""What getFile gives at most (https://core.telegram.org/bots/api#getfile)."""

Fetch = Callable[[str], bytes]
"""Returns a file by its ``file_id``; see channels.telegram.api."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+|$)")


class Ear:
    """Reads messages.

    Args:
        settings: limits of what may be attached.
        fetch: how to get a file.
        username: our own name on Telegram, without ``@``.
        bot_id: our own id.
    """

    def __init__(self, settings: Settings, fetch: Fetch, username: str, bot_id: int) -> None:
        self._settings = settings
        self._fetch = fetch
        self._username = username
        self._bot_id = bot_id

    @property
    def private_link(self) -> str:
        """Where one speaks with the bot alone."""
        return f"https://t.me/{self._username}"

    def listen(self, updates: Sequence[Update]) -> Heard | None:
        """Return what a message said, or the parts of an album together; None when not to us.

        Raises:
            InputError: it holds something we cannot take.
            UpstreamError: a file cannot be had now.
        """
        messages = [update.effective_message for update in updates]
        ours = [m for m in messages if isinstance(m, Message) and self._is_for_us(m)]
        if not ours:
            return None
        in_public = is_group(ours[0].chat.type)
        texts = [text for text in map(self._text, ours) if text]
        if in_public:  # its files are nobody's business here
            text = "\n".join(texts) or MEANINGS["start"]
            return Heard(Content(text=text), True, self.private_link)
        attachments = [found for message in ours for found in self._attached(message)]
        return Heard(Content(text="\n".join(texts), attachments=tuple(attachments)))

    def _is_for_us(self, message: Message) -> bool:
        """In a group: a mention or a command of ours, or a reply to us."""
        if not is_group(message.chat.type):
            return True
        answered = message.reply_to_message
        if answered and answered.from_user and answered.from_user.id == self._bot_id:
            return True
        found = {**message.parse_entities(), **message.parse_caption_entities()}
        for entity, words in found.items():
            if (
                entity.type == entity.TEXT_MENTION
                and entity.user
                and entity.user.id == self._bot_id
            ):
                return True
            if entity.type in (entity.MENTION, entity.BOT_COMMAND):
                name = words.rpartition("@")[2] if "@" in words else ""
                if name.lower() == self._username.lower():
                    return True
        return False

    def _text(self, message: Message) -> str:
        words = (message.text or message.caption or "").strip()
        command = _COMMAND.match(words)
        if command is not None:
            name, rest = command.group(1).lower(), words[command.end() :].strip()
            if name == "start" and rest in MEANINGS:  # t.me/<bot>?start=report
                return MEANINGS[rest]
            return MEANINGS.get(name, words) if not rest or name == "start" else rest
        words = re.sub(rf"@{re.escape(self._username)}\b", "", words, flags=re.IGNORECASE).strip()
        if message.venue is not None:
            return f"{message.venue.address}{message.venue.title}"
        if message.contact is not None:
            return message.contact.phone_number
        return words

    def _attached(self, message: Message) -> list[Attachment]:
        if message.location is not None:
            point = message.location
            return [
                SharedLocation(type="location", latitude=point.latitude, longitude=point.longitude)
            ]
        if message.photo:
            data = self._get(self._best(message.photo), self._settings.max_photo_bytes)
            return [Photo(type="photo", content_type="image/jpeg", data=data)]
        if message.text or message.contact is not None:
            return []
        return [self._file(message)]

    def _best(self, sizes: Sequence[PhotoSize]) -> PhotoSize:
        """The largest size that we take; the smallest when none is small enough."""
        limit = min(self._settings.max_photo_bytes, LARGEST_FILE)
        by_size = sorted(sizes, key=lambda size: size.width * size.height)
        return next((s for s in reversed(by_size) if (s.file_size or 0) <= limit), by_size[0])

    def _file(self, message: Message) -> Attachment:
        settings, document = self._settings, message.document
        sound = message.voice or message.audio
        if sound is not None:
            data = self._get(sound, settings.max_audio_bytes)
            kind = sound.mime_type or "audio/ogg"
            return Audio(type="audio", content_type=kind[:100], data=data)
        film = message.video or message.video_note
        if film is not None:
            data = self._get(film, settings.max_video_bytes)
            return Video(type="video", content_type="video/mp4", data=data)
        if document is None:
            raise InputError("message_kind", NOT_UNDERSTOOD, "a kind of message we do not take")
        kind = (document.mime_type or "")[:100]
        if kind.startswith("image/"):
            data = self._get(document, settings.max_photo_bytes)
            return Photo(type="photo", content_type=kind, data=data)
        if kind.startswith("video/"):
            data = self._get(document, settings.max_video_bytes)
            return Video(type="video", content_type=kind, data=data)
        if kind.startswith("audio/"):
            data = self._get(document, settings.max_audio_bytes)
            return Audio(type="audio", content_type=kind, data=data)
        raise InputError("document_kind", NO_FILE, f"a document of type {kind or 'unknown'}")

    def _get(
        self, file: PhotoSize | Voice | SoundFile | VideoFile | VideoNote | Document, limit: int
    ) -> str:
        """Return a file in base64; what is over ``limit`` is left to the checks of every channel.

        Raises:
            TooLargeError: ``file_too_large``: Telegram would not give it.
        """
        size = file.file_size or 0
        if size > LARGEST_FILE:
            raise TooLargeError("file_too_large", TOO_BIG, f"{size} bytes")
        if size > limit:
            raise TooLargeError(
                "file_too_large",
                f"文件太大了（最大{limit // (1024 * 1024)}MB），请压缩后再发。",
                f"{size} bytes",
            )
        return b64encode(self._fetch(file.file_id)).decode()
