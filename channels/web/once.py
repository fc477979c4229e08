"""A message that the page sends again, because its answer got lost, is not handled again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from base.errors import UpstreamError
from base.identity import citizen_id
from channels.message import Answer, Message
from store.answered import Claim, claim, keep_answer, release
from store.database import unit_of_work
from store.models import utc_now

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
"""Pause between two looks for the answer of a message that is being handled."""


def answer_once(
    message: Message,
    client_id: str,
    handle: Callable[[Message], Answer],
    patience_seconds: float,
) -> Answer:
    """Handle a message, or return the first answer to it.

    A repeated message that is still being handled waits for that answer. A refused message is
    not remembered: it may be sent again. After ``patience_seconds`` without an answer the first
    handler is taken to have died with its process, and the message is handled anew.

    Raises:
        UpstreamError: ``assistant_unavailable`` when the answer does not come in time.
        ShiminError: whatever ``handle`` raises.
    """
    citizen = citizen_id(message.channel, message.conversation_id)
    taken = _claim_or_wait(citizen, client_id, patience_seconds)
    if taken.answer is not None:
        log.info("repeated", citizen=citizen, client_id=client_id)
        return Answer.model_validate(taken.answer)
    try:
        answer = handle(message)
    except BaseException:
        with unit_of_work() as session:
            release(session, citizen, client_id)
        raise
    with unit_of_work() as session:
        keep_answer(session, citizen, client_id, answer.model_dump(mode="json"))
    return answer


def _claim_or_wait(citizen: str, client_id: str, patience_seconds: float) -> Claim:
    """Return a claim that is ours or has an answer."""
    deadline = time.monotonic() + patience_seconds
    while True:
        with unit_of_work() as session:
            taken = claim(
                session, citizen, client_id, utc_now(), timedelta(seconds=patience_seconds)
            )
        if taken.mine or taken.answer is not None:
            return taken
        if time.monotonic() > deadline:
            raise UpstreamError(
                "assistant_unavailable",
                "这条消息还在处理，请稍后再试。",
                f"message {client_id} is being handled",
            )
        time.sleep(POLL_SECONDS)
