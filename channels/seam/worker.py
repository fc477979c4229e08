"""Answers what was pushed: one message at a time of each conversation, several conversations
side by side.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Event
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from base.errors import InputError, ShiminError, UpstreamError
from channels.message import Answer, Message, Reply
from channels.seam.channel import Capability, Channel, Heard
from store.database import reading, unit_of_work
from store.incoming import Claimed, bury, claim, next_due, settle, try_again
from store.models import utc_now
from store.outgoing import queue_answer

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than Rasa and every photo of an album take together."""
LOOK_SECONDS = 0.3
STORE_PAUSE_SECONDS = 5.0
MAX_ATTEMPTS = 6
FIRST_PAUSE = timedelta(seconds=1)
UNEXPECTED = "系统出了点问题，您的消息没有处理成功，请过一会儿再发一次。急事请拨打12345。"


class Assistant(Protocol):
    """What the worker asks: :class:`channels.conversation.Conversation`."""

    def handle(self, message: Message) -> Answer:
        """Answer one message; see :meth:`channels.conversation.Conversation.handle`."""

    def handle_in_public(self, message: Message, private_link: str) -> Answer:
        """Answer one message that others read."""


class Worker:
    """Takes messages from the store and gives their answers back to it.

    Args:
        channels: the channels by name.
        assistant: who answers.
        threads: conversations that are answered side by side.
        clock: the present moment.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        assistant: Assistant,
        threads: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._channels = channels
        self._assistant = assistant
        self._threads = threads
        self._clock = clock

    def run(self, stop: Event) -> None:
        """Work until ``stop``; what is in hand is finished first."""
        free = BoundedSemaphore(self._threads)

        def answer(claimed: Claimed) -> None:
            try:
                self._answer(claimed)
            except Exception:  # its lease ends, and it is taken again
                log.exception("message_left", channel=claimed.channel, message=claimed.id)
            finally:
                free.release()

        with ThreadPoolExecutor(self._threads, thread_name_prefix="channel-worker") as pool:
            while not stop.is_set():
                if not free.acquire(timeout=LOOK_SECONDS):
                    continue
                claimed = self._claim(stop)
                if claimed is None:
                    free.release()
                else:
                    pool.submit(answer, claimed)

    def answer_one(self) -> bool:
        """Answer the next message that is due; False when none is."""
        claimed = self._next()
        if claimed is None:
            return False
        self._answer(claimed)
        return True

    def _claim(self, stop: Event) -> Claimed | None:
        try:
            claimed = self._next()
        except SQLAlchemyError as error:
            log.error("store_down", error=type(error).__name__)
            stop.wait(STORE_PAUSE_SECONDS)
            return None
        if claimed is None:
            stop.wait(LOOK_SECONDS)
        return claimed

    def _next(self) -> Claimed | None:
        with reading() as session:
            due = next_due(session, self._channels)
        if due is None or due > self._clock():
            return None
        with unit_of_work() as session:
            return claim(session, self._channels, self._clock(), LEASE)

    def _answer(self, claimed: Claimed) -> None:
        try:
            replies = self._replies(claimed)
        except InputError as error:
            log.info("refused", channel=claimed.channel, code=error.code, detail=error.detail)
            replies = (_said(error.message),)
        except UpstreamError as error:
            self._failed(claimed, error.detail, error.message)
            return
        except SQLAlchemyError:
            raise
        except ShiminError as error:
            log.error("refused", channel=claimed.channel, code=error.code, detail=error.detail)
            self._give_up(claimed, error.code, error.message)
            return
        except Exception as error:
            log.exception("message_failed", channel=claimed.channel, message=claimed.id)
            self._failed(claimed, type(error).__name__, UNEXPECTED)
            return
        self._settle(claimed, replies)

    def _replies(self, claimed: Claimed) -> tuple[Reply, ...]:
        channel = self._channels[claimed.channel]
        if Capability.TYPING in channel.capabilities and claimed.attempts == 1:
            channel.typing(claimed.conversation_id)
        heard = channel.hear(claimed.conversation_id, claimed.parts)
        if not isinstance(heard, Heard):
            return heard
        message = Message(
            conversation_id=claimed.conversation_id,
            channel=claimed.channel,
            message_id=claimed.message_id,
            text=heard.content.text,
            attachments=heard.content.attachments,
        )
        if heard.in_public:
            return self._assistant.handle_in_public(message, heard.private_link).replies
        return self._assistant.handle(message).replies

    def _settle(self, claimed: Claimed, replies: tuple[Reply, ...]) -> None:
        """Queue the answer and close the message in one unit of work."""
        with unit_of_work() as session:
            if settle(session, claimed):
                self._queue(session, claimed, replies)

    def _queue(self, session: Session, claimed: Claimed, replies: tuple[Reply, ...]) -> None:
        if not replies:
            return
        now = self._clock()
        left = claimed.received_at + self._channels[claimed.channel].answer_grace - now
        body = [reply.model_dump(mode="json") for reply in replies]
        grace = max(timedelta(), left)
        queue_answer(session, claimed.citizen, body, claimed.id, now, grace)

    def _failed(self, claimed: Claimed, error: str, message: str) -> None:
        if claimed.attempts >= MAX_ATTEMPTS:
            self._give_up(claimed, error, message)
            return
        pause = FIRST_PAUSE * 2 ** (claimed.attempts - 1) * random.uniform(0.5, 1.0)  # noqa: S311
        log.warning(
            "message_retry",
            channel=claimed.channel,
            message=claimed.id,
            attempt=claimed.attempts,
            pause_seconds=round(pause.total_seconds(), 1),
            detail=error,
        )
        with unit_of_work() as session:
            try_again(session, claimed, error, self._clock() + pause)

    def _give_up(self, claimed: Claimed, error: str, message: str) -> None:
        log.error("message_dead", channel=claimed.channel, message=claimed.id, detail=error)
        with unit_of_work() as session:
            if bury(session, claimed, error):
                self._queue(session, claimed, (_said(message),))


def _said(text: str) -> Reply:
    return Reply.of({"text": text})
