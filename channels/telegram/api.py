"""Calls of the Bot API, with errors as the seam knows them. No error ever shows the token."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from threading import Event
from typing import Any, TypeVar

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, User
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from base.errors import ConfigurationError, InputError, UpstreamError
from base.settings import Settings
from channels.seam.errors import DeliveryError, RefusedError, TryLaterError, UnwelcomeError
from channels.telegram.loop import Loop
from channels.telegram.updates import ALLOWED, INERT, Update
from channels.telegram.words import COMMANDS, GONE

log = structlog.get_logger(__name__)

T = TypeVar("T")

POLL_SECONDS = 25
SHUT_OUT_SECONDS = 60.0
_GONE = ("chat not found", "user is deactivated", "bot can't initiate conversation")


class TelegramApi:
    """The calls we make."""

    def __init__(self, settings: Settings) -> None:
        url = settings.telegram_api_url.rstrip("/")
        self._running: Loop | None = None
        self._requests = (
            HTTPXRequest(connection_pool_size=32, read_timeout=20, pool_timeout=10),
            HTTPXRequest(connection_pool_size=1, read_timeout=20),
        )
        self._bot = Bot(
            settings.telegram_token.get_secret_value(),
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )

    @property
    def bot(self) -> Bot:
        """What updates are read with; it makes no call by itself."""
        return self._bot

    def start(self) -> None:
        """Make ready for calls."""
        self._running = Loop()

    @property
    def _loop(self) -> Loop:
        if self._running is None:
            raise RuntimeError("start() comes first")
        return self._running

    def close(self) -> None:
        """Close every connection."""

        async def shut() -> None:
            for request in self._requests:
                await request.shutdown()

        self._loop.call(shut())
        self._loop.close()

    def me(self) -> User:
        """Return who we are."""
        return self._ask(self._bot.get_me())

    def introduce(self) -> None:
        """Tell Telegram our commands; failing is no loss."""
        try:
            self._ask(self._bot.set_my_commands(COMMANDS))
        except (UpstreamError, ConfigurationError) as error:
            log.warning("telegram_commands_not_set", detail=error.detail)

    def set_webhook(self, url: str, secret: str) -> None:
        """Have updates pushed to ``url``."""
        self._ask(self._bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED))

    def delete_webhook(self) -> None:
        """Have updates kept for :meth:`updates`."""
        self._ask(self._bot.delete_webhook())

    def updates(self, offset: int | None, stop: Event) -> list[Update]:
        """Return updates from ``offset`` on, waiting a while for the first; empty at ``stop``.

        Asking from an offset tells Telegram that everything before it is safe with us.
        """
        wait = self._bot.get_updates(offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED)
        try:
            found = self._loop.call_until(stop, wait)
        except TelegramError as error:
            raise _upstream(error) from None
        return [update.to_dict() for update in found or ()]

    def fetch(self, file_id: str) -> bytes:
        """Return a file.

        Raises:
            InputError: ``file_gone``.
            UpstreamError: it cannot be had now.
        """

        async def download() -> bytes:
            file = await self._bot.get_file(file_id)
            try:
                return bytes(await file.download_as_bytearray())
            except InvalidToken:  # the library's name of every 404
                raise BadRequest("no such file") from None

        try:
            return self._loop.call(download())
        except BadRequest as error:
            raise InputError("file_gone", GONE, error.message) from None
        except TelegramError as error:
            raise _upstream(error) from None

    def answer_press(
        self, query_id: str, chat: int, message_id: int, words: str | None, pressed: str | None
    ) -> None:
        """Tell a citizen that his press arrived, and show it on the message; failing is no loss.

        Args:
            query_id: of the callback query.
            chat: where the message is.
            message_id: of the message with the buttons.
            words: a short notice to show him.
            pressed: title of the button to leave; None: the message stays as it is.
        """

        async def work() -> None:
            await self._bot.answer_callback_query(query_id, words)
            if pressed is not None:
                button = InlineKeyboardButton(f"✓ {pressed}", callback_data=INERT)
                await self._bot.edit_message_reply_markup(
                    chat, message_id, reply_markup=InlineKeyboardMarkup([[button]])
                )

        try:
            self._loop.call(work())
        except TelegramError as error:
            log.info("telegram_press_not_shown", error=type(error).__name__)

    def typing(self, chat: int) -> None:
        """Show that we are writing; failing is no loss."""
        try:
            self._loop.call(self._bot.send_chat_action(chat, "typing"))
        except TelegramError as error:
            log.info("telegram_typing_not_shown", error=type(error).__name__)

    def send(self, chat: int, text: str, buttons: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Send plain text with rows of buttons (title, data).

        A group that has become a supergroup is spoken to under its new id.

        Raises:
            DeliveryError: see channels.seam.errors.
        """
        rows = [[InlineKeyboardButton(t, callback_data=d) for t, d in row] for row in buttons]
        markup = InlineKeyboardMarkup(rows) if rows else None
        preview = LinkPreviewOptions(is_disabled=True)

        async def work(to: int) -> None:
            await self._bot.send_message(
                to, text, reply_markup=markup, link_preview_options=preview
            )

        try:
            try:
                self._loop.call(work(chat))
            except ChatMigrated as moved:
                self._loop.call(work(moved.new_chat_id))
        except TelegramError as error:
            raise _delivery(error) from None

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.call(work)
        except TelegramError as error:
            raise _upstream(error) from None


def _upstream(error: TelegramError) -> UpstreamError | ConfigurationError:
    if isinstance(error, InvalidToken | EndPointNotFound):
        return ConfigurationError("Telegram does not know SHIMIN_TELEGRAM_TOKEN")
    message = "Telegram 暂时连不上，您的消息还没有处理，请过一会儿再发。"
    return UpstreamError("telegram_unavailable", message, _detail(error))


def _delivery(error: TelegramError) -> DeliveryError:
    detail = _detail(error)
    if isinstance(error, RetryAfter):
        after = error.retry_after
        seconds = float(after) if isinstance(after, int) else after.total_seconds()
        return TryLaterError(detail, seconds, everyone=True)
    if isinstance(error, InvalidToken | EndPointNotFound):  # the operator mends it
        return TryLaterError("the token is refused", SHUT_OUT_SECONDS, everyone=True)
    if isinstance(error, Forbidden) or any(words in error.message.lower() for words in _GONE):
        return UnwelcomeError(detail)
    if isinstance(error, BadRequest):
        return RefusedError(detail)
    return DeliveryError(detail)


def _detail(error: TelegramError) -> str:
    """What happened, for the log: an error of the network may show an address with the token."""
    name = type(error).__name__
    own = isinstance(error, NetworkError) and not isinstance(error, BadRequest)
    return name if own or isinstance(error, InvalidToken) else f"{name}: {error.message}"
