"""Telegram as a channel: everything else of it is the library's or the seam's."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from threading import Event
from typing import Any, ClassVar

from fastapi import APIRouter
from telegram import CallbackQuery, Update

from base.errors import ConfigurationError
from base.identity import citizen_id
from base.settings import Settings
from channels.message import Button, Content, Reply
from channels.seam.channel import Capability, Channel, Heard, Hearing
from channels.seam.errors import TryLaterError
from channels.seam.inbox import store_pushed
from channels.seam.plain import plain_text, split_text
from channels.seam.sender import unsubscribe_citizen
from channels.telegram.api import TelegramApi
from channels.telegram.hearing import Ear
from channels.telegram.pace import Pace
from channels.telegram.updates import INERT, chat_of, is_group, pushed
from channels.telegram.webhook import PATH, webhook_routes
from channels.telegram.words import DONE, NOT_YOURS, OLD_BUTTON
from store.buttons import offer, pressed
from store.database import unit_of_work

LONGEST_TEXT = 4096
"""UTF-16 units of a message (https://core.telegram.org/bots/api#sendmessage)."""
LONGEST_TITLE = 40
SHORT_TITLE = 8
"""Characters of a title that leave room for a second button beside it on a phone."""
SHORT_WAIT_SECONDS = 1.0
_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


class Telegram(Channel):
    """A bot.

    Args:
        settings: token, mode and limits.
    """

    name: ClassVar[str] = "telegram"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bot_id = int(settings.telegram_token.get_secret_value().partition(":")[0])
        self._api = TelegramApi(settings)
        self._pace = Pace()
        self._ear: Ear | None = None

    @property
    def routes(self) -> APIRouter | None:
        """The webhook, when there is one."""
        if self._settings.telegram_mode == "polling":
            return None
        return webhook_routes(self._settings, self._bot_id)

    def start(self) -> None:
        """Make ready; Telegram itself is first asked in :meth:`receive`."""
        self._api.start()

    def close(self) -> None:
        """Close connections."""
        self._api.close()

    def receive(self, stop: Event) -> None:
        """Register the webhook, or poll; the offset moves on once updates are stored."""
        self._api.introduce()
        if self._settings.telegram_mode == "webhook":
            secret = self._settings.telegram_webhook_secret.get_secret_value()
            self._api.set_webhook(self._settings.public_url.rstrip("/") + PATH, secret)
            return
        self._api.delete_webhook()
        offset: int | None = None
        while not stop.is_set():
            updates = self._api.updates(offset, stop)
            found = (pushed(update, self._bot_id) for update in updates)
            store_pushed(self.name, [kept for kept in found if kept is not None])
            if updates:
                offset = updates[-1]["update_id"] + 1

    def hear(self, conversation_id: str, parts: Sequence[Any]) -> Hearing:
        """See :meth:`Channel.hear`: a press, a message or an album, or that we were blocked."""
        updates = [update for update in (Update.de_json(p, self._api.bot) for p in parts) if update]
        first = updates[0]
        if first.my_chat_member is not None:
            if first.my_chat_member.new_chat_member.status in ("kicked", "left"):
                unsubscribe_citizen(citizen_id(self.name, conversation_id), "blocked")
            return ()
        if first.callback_query is not None:
            return self._press(first.callback_query, conversation_id)
        return self._my_ear().listen(updates) or ()

    def divide(self, reply: Reply) -> tuple[Reply, ...]:
        """Cut long texts; the buttons are below the last piece."""
        pieces = split_text(plain_text(reply), LONGEST_TEXT)
        return tuple(
            Reply(text=piece, speech="", buttons=reply.buttons if last else ())
            for piece, last in zip(pieces, [False] * (len(pieces) - 1) + [True], strict=True)
        )

    def send(self, conversation_id: str, reply: Reply) -> None:
        """Send one piece as plain text: nothing in it can become markup."""
        chat = chat_of(conversation_id)
        self._keep_pace(chat)
        self._api.send(chat, reply.text, self._rows(conversation_id, reply.buttons))

    def typing(self, conversation_id: str) -> None:
        """Show that an answer is being written."""
        self._api.typing(chat_of(conversation_id))

    def _my_ear(self) -> Ear:
        if self._ear is None:
            username = self._api.me().username or ""
            self._ear = Ear(self._settings, self._api.fetch, username, self._bot_id)
        return self._ear

    def _press(self, query: CallbackQuery, conversation_id: str) -> Hearing:
        message, token = query.message, query.data
        if message is None or token is None:
            return ()
        if token == INERT:
            self._api.answer_press(query.id, message.chat.id, message.message_id, None, None)
            return ()
        citizen = citizen_id(self.name, conversation_id)
        with unit_of_work() as session:
            payload = pressed(session, citizen, token)
        public = is_group(message.chat.type)
        if payload is None:
            words = NOT_YOURS if public else OLD_BUTTON
            self._api.answer_press(query.id, message.chat.id, message.message_id, words, None)
            return ()
        title = _title(query, token)
        self._api.answer_press(query.id, message.chat.id, message.message_id, DONE, title)
        link = self._my_ear().private_link if public else ""
        return Heard(Content(text=payload), public, link)

    def _keep_pace(self, chat: int) -> None:
        wait = self._pace.wait(chat)
        if 0 < wait <= SHORT_WAIT_SECONDS:
            time.sleep(wait)
            wait = self._pace.wait(chat)
        if wait > 0:
            raise TryLaterError("our own pace", wait)

    def _rows(self, conversation_id: str, buttons: Sequence[Button]) -> list[list[tuple[str, str]]]:
        """Return titles and names of buttons; short ones stand two in a row."""
        if not buttons:
            return []
        citizen = citizen_id(self.name, conversation_id)
        with unit_of_work() as session:
            named = [
                (button.title[:LONGEST_TITLE], offer(session, citizen, button.payload))
                for button in buttons
            ]
        rows: list[list[tuple[str, str]]] = []
        for title, token in named:
            beside = rows and len(rows[-1]) == 1 and len(rows[-1][0][0]) <= SHORT_TITLE
            if beside and len(title) <= SHORT_TITLE:
                rows[-1].append((title, token))
            else:
                rows.append([(title, token)])
        return rows


def build(settings: Settings) -> Telegram | None:
    """Return the bot, or None without a token.

    Raises:
        ConfigurationError: the token has no form of one, or a webhook has no good secret.
    """
    token = settings.telegram_token.get_secret_value()
    if not token:
        return None
    if not _TOKEN.fullmatch(token):
        raise ConfigurationError("SHIMIN_TELEGRAM_TOKEN is not a token of @BotFather")
    secret = settings.telegram_webhook_secret.get_secret_value()
    if settings.telegram_mode == "webhook" and not _SECRET.fullmatch(secret):
        raise ConfigurationError(
            "SHIMIN_TELEGRAM_WEBHOOK_SECRET needs 16 to 256 letters, digits, _ or -"
        )
    return Telegram(settings)


def _title(query: CallbackQuery, token: str) -> str:
    """Return the title of a pressed button, which the message itself tells."""
    markup = getattr(query.message, "reply_markup", None)
    rows = markup.inline_keyboard if markup is not None else ()
    titles = (button.text for row in rows for button in row if button.callback_data == token)
    return next(titles, DONE)
