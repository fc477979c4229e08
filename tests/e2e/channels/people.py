"""What a citizen does and sees, whatever the channel; and the citizen at the Chat API."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from tests.e2e.driver import ANSWER_SECONDS, Citizen, Heard, location
from tests.e2e.driver import photo as photo_of
from tests.stack import Stack
from tests.waiting import WAIT_SECONDS, wait_until


@dataclass(frozen=True)
class Shown:
    """What came on the screen: all the words, and the titles of what may be chosen."""

    text: str
    choices: tuple[str, ...] = ()

    @classmethod
    def all(cls, messages: Iterable[Shown]) -> Shown:
        """Several messages as one."""
        messages = list(messages)
        return cls(
            "\n".join(message.text for message in messages),
            tuple(title for message in messages for title in message.choices),
        )


class Person(Protocol):
    """One citizen on one channel. Every act returns what was shown in answer to it."""

    @property
    def citizen(self) -> str:
        """His name in the store: ``<channel>:<conversation id>``."""

    def say(self, words: str) -> Shown:
        """Write."""

    def press(self, title: str) -> Shown:
        """Choose what was offered under ``title``, the newest if it was offered twice."""

    def send_photo(self, data: bytes, words: str) -> Shown:
        """Send a JPEG with words to it (or none)."""

    def share_place(self, latitude: float, longitude: float) -> Shown:
        """Share a point, degrees WGS 84."""

    def news(self, words: str) -> Shown:
        """Wait for a message nobody asked for that holds ``words``."""


Newcomer = Callable[[], Person]
"""Makes a person who has never written on the channel before."""


class ByApi:
    """A client of the Chat API; a refusal is shown as the words that it gives for the citizen."""

    def __init__(self, client: Citizen) -> None:
        self._client = client
        self._choices: dict[str, str] = {}

    @property
    def citizen(self) -> str:
        return f"api:{self._client.name}"

    def say(self, words: str) -> Shown:
        return self._post(words)

    def press(self, title: str) -> Shown:
        assert title in self._choices, f"no button {title!r} in {list(self._choices)}"
        return self._post(self._choices[title])

    def send_photo(self, data: bytes, words: str) -> Shown:
        return self._post(words, photo_of(data))

    def share_place(self, latitude: float, longitude: float) -> Shown:
        return self._post("", location(latitude, longitude))

    def news(self, words: str) -> Shown:
        reply = self._client.wait_news(words)
        self._choices |= self._client.buttons
        return Shown(reply["text"], tuple(self._client.buttons))

    def _post(self, text: str, *attachments: dict[str, object]) -> Shown:
        response = self._client.post(text, attachments)
        if response.status_code != 200:
            return Shown(response.json()["error"]["message"])
        heard = Heard(response.json())
        self._choices |= heard.buttons
        return Shown(heard.text, tuple(heard.buttons))


class Queues:
    """How far a person's messages are on a channel that is pushed to.

    The store is only the clock of these tests: what was said is read at the platform.
    """

    def __init__(self, stack: Stack, channel: str, conversation: str) -> None:
        self._path = stack.folder / "shimin.db"
        self._channel, self._conversation = channel, conversation

    def wait_answered(self, received: int) -> None:
        """Wait until so many messages have come in, and every answer has gone out."""
        wait_until(lambda: self._answered(received), "an answer", ANSWER_SECONDS)

    def wait_taken(self) -> None:
        """Wait until a message is in the hands of the channels' process and not yet answered."""
        sql = (
            "SELECT count(*) FROM incoming_messages WHERE channel = ? AND conversation_id = ?"
            " AND state = 'pending' AND attempts > 0"
        )

        def taken() -> bool:
            with closing(self._open()) as store:
                row = store.execute(sql, (self._channel, self._conversation)).fetchone()
            return bool(row[0])

        wait_until(taken, "a message in hand", ANSWER_SECONDS)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=WAIT_SECONDS)

    def _answered(self, received: int) -> bool:
        with closing(self._open()) as connection:
            ((came, open_ones),) = connection.execute(
                "SELECT count(*), coalesce(sum(state = 'pending'), 0) FROM incoming_messages"
                " WHERE channel = ? AND conversation_id = ?",
                (self._channel, self._conversation),
            )
            ((leaving,),) = connection.execute(
                "SELECT count(*) FROM outgoing_messages"
                " WHERE citizen_id = ? AND state = 'pending' AND answer_to IS NOT NULL",
                (f"{self._channel}:{self._conversation}",),
            )
        return came >= received and not open_ones and not leaving
