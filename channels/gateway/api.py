"""The Chat API."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request

from base.errors import InputError
from base.identity import citizen_id
from channels.gateway.rates import rates_of
from channels.message import (
    Answer,
    ChannelName,
    ConversationId,
    Message,
    Reply,
)
from store.database import reading, unit_of_work
from store.people import acknowledge, inbox, is_settled

router = APIRouter(prefix="/api/v1")

LARGEST_ID = 2**63 - 1
"""The largest integer a database row can have as its id."""


async def authorised(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Require ``Authorization: Bearer <SHIMIN_API_KEY>``; waits for nothing, so needs no thread.

    Raises:
        InputError: ``unauthorized``.
    """
    key = request.app.state.settings.api_key.get_secret_value()
    expected = f"Bearer {key}"
    if not key or not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise InputError("unauthorized", "接口密钥不对或没有提供。", "missing or wrong API key")


@router.post("/messages", dependencies=[Depends(authorised)])
def post_message(message: Message, request: Request) -> Answer:
    """Answer one message of a citizen."""
    rates_of(request).citizen(citizen_id(message.channel, message.conversation_id))
    answer: Answer = request.app.state.conversation.handle(message)
    return answer


@router.get("/messages", dependencies=[Depends(authorised)])
def get_messages(
    conversation_id: Annotated[ConversationId, Query()],
    channel: Annotated[ChannelName, Query()] = "api",
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> dict[str, Any]:
    """Return messages pushed to a conversation (status news, notices) with ids above ``after``.

    Those up to ``after`` count as delivered: the client has shown them.
    """
    rows = _inbox(citizen_id(channel, conversation_id), after)
    return {
        "conversation_id": conversation_id,
        "messages": [
            {"id": number, "replies": [Reply.of(r).model_dump() for r in replies]}
            for number, replies in rows
        ],
    }


def _inbox(citizen: str, after: int) -> list[tuple[int, list[dict[str, Any]]]]:
    with reading() as session:
        if is_settled(session, citizen, after):
            return []
    with unit_of_work() as session:
        acknowledge(session, citizen, after)
        return inbox(session, citizen, after)
