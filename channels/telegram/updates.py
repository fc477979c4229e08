"""Which updates are stored, and under what name: pure functions of the Bot API's JSON.

In a group only what is addressed to us is kept: nobody else's words leave Telegram.
"""

from __future__ import annotations

from typing import Any

import structlog

from channels.seam.inbox import Pushed

log = structlog.get_logger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates we ask Telegram for."""
EDIT_SECONDS = 15 * 60
"""A correction counts for so long; who mends an old message expects no answer."""
INERT = "-"
"""The data of a button that has been pressed and only shows it."""

Update = dict[str, Any]

_CONTENT = (
    "text", "photo", "video", "video_note", "animation", "voice", "audio", "document", "location",
    "venue", "contact", "sticker", "poll", "dice", "story",
)  # fmt: skip
_ADDRESSED = frozenset({"mention", "text_mention", "bot_command"})


def pushed(update: Update, bot_id: int) -> Pushed | None:
    """Return what of an update is stored; None when it concerns nobody, or has no form we know.

    Args:
        update: an Update object.
        bot_id: our own id, the part of the token before the colon.
    """
    try:
        return _read(update, bot_id)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # refused, it would come again for ever and hold up what is behind it
        number = update.get("update_id") if isinstance(update, dict) else None
        log.error("telegram_update_unreadable", update=number, error=type(error).__name__)
        return None


def _read(update: Update, bot_id: int) -> Pushed | None:
    if "callback_query" in update:
        return _pressed(update)
    if "my_chat_member" in update:
        member = update["my_chat_member"]
        if is_group(member["chat"]["type"]):
            return None
        return Pushed(f"u{update['update_id']}", str(member["chat"]["id"]), update)
    if "message" in update:
        return _message(update, update["message"], bot_id)
    if "edited_message" in update:
        return _edited(update, update["edited_message"], bot_id)
    return None


def is_group(kind: str) -> bool:
    """Tell whether others read a chat of this kind."""
    return kind != "private"


def conversation(chat: dict[str, Any], person: dict[str, Any]) -> str:
    """Return whose conversation it is: a chat, or one person's in a group."""
    return f"{chat['id']}.{person['id']}" if is_group(chat["type"]) else str(chat["id"])


def chat_of(conversation_id: str) -> int:
    """Return the chat a conversation is in."""
    return int(conversation_id.partition(".")[0])


def _pressed(update: Update) -> Pushed | None:
    """A press counts once for each button of a message: a second one changes nothing."""
    query = update["callback_query"]
    message, data = query.get("message"), query.get("data")
    if not message or not data:
        return None
    press = query["id"] if data == INERT else f"{message['message_id']}:{data}"
    key = f"{message['chat']['id']}:{press}"
    return Pushed(key, conversation(message["chat"], query["from"]), update)


def _message(update: Update, message: dict[str, Any], bot_id: int) -> Pushed | None:
    if not _is_for_us(message, bot_id):
        return None
    person = conversation(message["chat"], message["from"])
    album = message.get("media_group_id")
    return Pushed(_key(message), person, update, str(album) if album else None)


def _edited(update: Update, message: dict[str, Any], bot_id: int) -> Pushed | None:
    """A corrected message; a live location that moves is no news."""
    edited_at = int(message["edit_date"])
    if "location" in message or edited_at - int(message["date"]) > EDIT_SECONDS:
        return None
    if not _is_for_us(message, bot_id):
        return None
    person = conversation(message["chat"], message["from"])
    return Pushed(f"{_key(message)}:{edited_at}", person, update, replaces=_key(message))


def _key(message: dict[str, Any]) -> str:
    return f"{message['chat']['id']}:{message['message_id']}"


def _is_for_us(message: dict[str, Any], bot_id: int) -> bool:
    sender = message.get("from")
    if not sender or sender.get("is_bot") or not any(kind in message for kind in _CONTENT):
        return False
    if not is_group(message["chat"]["type"]):
        return True
    answered = (message.get("reply_to_message") or {}).get("from") or {}
    entities = (*message.get("entities", ()), *message.get("caption_entities", ()))
    return answered.get("id") == bot_id or any(e["type"] in _ADDRESSED for e in entities)
