"""Citizens on Telegram, at our strict stand-in of the Bot API or at the emulator telemelya."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tests.channels.telegram.bot_api import BotApi, message, photo
from tests.channels.telegram.emulated import Emulator, post
from tests.e2e.channels.people import Queues, Shown
from tests.e2e.driver import ANSWER_SECONDS
from tests.stack import Stack
from tests.waiting import wait_until

_chats = itertools.count(700_001)
_numbers = itertools.count(2_000_001)
"""Names of messages and presses; the emulator's own are smaller."""


@dataclass(frozen=True)
class Bubble:
    """A message of the bot: its id, words, and the data of its buttons by their titles."""

    number: int
    text: str
    buttons: dict[str, str]

    @classmethod
    def of(cls, number: int, text: str, markup: dict[str, Any] | None) -> Bubble:
        rows = (markup or {}).get("inline_keyboard", [])
        return cls(number, text, {b["text"]: b["callback_data"] for row in rows for b in row})


class Platform(Protocol):
    """The app in a citizen's hand."""

    def write(self, chat: int, words: str) -> None:
        """Send words."""

    def photo(self, chat: int, data: bytes, words: str) -> None:
        """Send a photo with a caption."""

    def place(self, chat: int, latitude: float, longitude: float) -> None:
        """Send a location."""

    def press(self, chat: int, bubble: Bubble, title: str) -> None:
        """Press a button under a message."""

    def bubbles(self, chat: int) -> list[Bubble]:
        """Everything the bot has said in a chat."""


class OnTelegram:
    """One private chat with the bot."""

    def __init__(self, stack: Stack, platform: Platform) -> None:
        self._platform = platform
        self._chat = next(_chats)
        self.queues = Queues(stack, "telegram", str(self._chat))
        self._sent = 0

    @property
    def citizen(self) -> str:
        return f"telegram:{self._chat}"

    @property
    def texts(self) -> list[str]:
        """Everything the bot has said to him."""
        return [bubble.text for bubble in self._platform.bubbles(self._chat)]

    def say(self, words: str) -> Shown:
        return self._do(lambda: self._platform.write(self._chat, words))

    def press(self, title: str) -> Shown:
        bubbles = self._platform.bubbles(self._chat)
        offering = [bubble for bubble in bubbles if title in bubble.buttons]
        assert offering, f"no button {title!r} under {[list(b.buttons) for b in bubbles[-3:]]}"
        return self._do(lambda: self._platform.press(self._chat, offering[-1], title))

    def send_photo(self, data: bytes, words: str) -> Shown:
        return self._do(lambda: self._platform.photo(self._chat, data, words))

    def share_place(self, latitude: float, longitude: float) -> Shown:
        return self._do(lambda: self._platform.place(self._chat, latitude, longitude))

    def news(self, words: str) -> Shown:
        bubbles = self._platform.bubbles
        return wait_until(
            lambda: next((_shown(b) for b in bubbles(self._chat) if words in b.text), None),
            f"news with {words!r}",
            ANSWER_SECONDS,
        )

    def _do(self, act: Callable[[], None]) -> Shown:
        read = len(self._platform.bubbles(self._chat))
        act()
        self._sent += 1
        self.queues.wait_answered(self._sent)
        return Shown.all(map(_shown, self._platform.bubbles(self._chat)[read:]))


def _shown(bubble: Bubble) -> Shown:
    return Shown(bubble.text, tuple(bubble.buttons))


class Strict:
    """The app at our stand-in: long polling, and everything refused that Telegram refuses."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    def write(self, chat: int, words: str) -> None:
        self._api.push(message=self._message(chat, text=words))

    def photo(self, chat: int, data: bytes, words: str) -> None:
        name = f"photo{next(_numbers)}"
        self._api.files |= {f"{name}-{side}": data for side in (1, 2, 3)}
        caption = {"caption": words} if words else {}
        self._api.push(message=self._message(chat, photo=photo(name), **caption))

    def place(self, chat: int, latitude: float, longitude: float) -> None:
        point = {"latitude": latitude, "longitude": longitude}
        self._api.push(message=self._message(chat, location=point))

    def press(self, chat: int, bubble: Bubble, title: str) -> None:
        shown = self._message(chat, text=bubble.text, message_id=bubble.number)
        button = {"text": title, "callback_data": bubble.buttons[title]}
        shown["reply_markup"] = {"inline_keyboard": [[button]]}
        query = {"id": f"q{next(_numbers)}", "from": shown["from"], "chat_instance": "1"}
        self._api.push(callback_query={**query, "data": button["callback_data"], "message": shown})

    def bubbles(self, chat: int) -> list[Bubble]:
        return [
            Bubble.of(number, sent["text"], sent.get("reply_markup"))
            for number, sent in enumerate(self._api.sent, 9001)
            if sent["chat_id"] == chat
        ]

    @staticmethod
    def _message(chat: int, text: str = "", **more: Any) -> dict[str, Any]:
        person = {"id": chat, "is_bot": False, "first_name": "王"}
        where = {"chat": {"id": chat, "type": "private"}, "from": person}
        return message(next(_numbers), text, **{**where, **more})


class Emulated:
    """The app at telemelya, whose updates are pushed to the gateway at ``port``."""

    def __init__(self, emulator: Emulator, port: int) -> None:
        self._emulator = emulator
        self._port = port

    def write(self, chat: int, words: str) -> None:
        self._emulator.does(chat, text=words)

    def photo(self, chat: int, data: bytes, words: str) -> None:
        caption = {"photo_caption": words} if words else {}
        self._emulator.does(chat, photo_file_id=self._emulator.upload(data), **caption)

    def place(self, chat: int, latitude: float, longitude: float) -> None:
        """Telemelya knows no locations: the update goes straight to the webhook."""
        point = {"latitude": latitude, "longitude": longitude}
        person = {"id": chat, "is_bot": False, "first_name": "王"}
        where = {"chat": {"id": chat, "type": "private"}, "from": person}
        number = next(_numbers)
        update = {"update_id": number, "message": message(number, location=point, **where)}
        assert post(self._port, json.dumps(update).encode()).status_code == 200

    def press(self, chat: int, bubble: Bubble, title: str) -> None:
        data = bubble.buttons[title]
        self._emulator.does(chat, callback_data=data, callback_message_id=bubble.number)

    def bubbles(self, chat: int) -> list[Bubble]:
        return [
            Bubble.of(row["message_id"], str(row["text"]), row["reply_markup"])
            for row in self._emulator.responses(chat=chat)
        ]
