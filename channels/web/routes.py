"""The chat page and its private API."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from base.errors import InputError, TooManyError
from base.identity import citizen_id
from base.settings import Settings
from channels.gateway.rates import rates_of
from channels.message import Answer, Content, Message, Reply
from channels.web.embedding import embed_origins
from channels.web.once import answer_once
from channels.web.session import (
    check_guard,
    check_own_page,
    conversation_of,
    forget_cookies,
    new_conversation,
    set_cookie,
    set_embedded_cookie,
)
from store.database import reading, unit_of_work
from store.people import acknowledge, has_messages, inbox, last_message_id

POLL_SECONDS = 1.0
KEEPALIVE_SECONDS = 15.0
HANDLING_SECONDS = 90.0  # longest handling of one message: uploads, photos, Rasa
_ID_DIGITS = 18  # any such number fits a database integer

STREAMS_WAIT_SECONDS = 10

router = APIRouter()


class Spoken(BaseModel):
    """What is to be read aloud."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(repr=False)


class WebContent(Content):
    """A message of the page; one sent again bears the same ``client_id``."""

    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{8,40}$")


class Opening(BaseModel):
    """How a session is opened; ``embedded`` by a page inside another site's frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedded: bool = False


class Streams:
    """Counts the open news streams of each session; a page needs one, a person has few pages."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def check(self, citizen: str) -> None:
        """Refuse one more than the most.

        Raises:
            TooManyError: ``too_many_streams``.
        """
        if self._open[citizen] >= self._most:
            words = "您打开的聊天页面太多了，请先关掉几个。"
            raise TooManyError("too_many_streams", words, STREAMS_WAIT_SECONDS, citizen)

    async def counted(self, citizen: str, stream: AsyncGenerator[str]) -> AsyncIterator[str]:
        """Pass a stream on and count it while it is open."""
        self._open[citizen] += 1
        try:
            async with aclosing(stream):
                async for part in stream:
                    yield part
        finally:
            self._open[citizen] -= 1
            if not self._open[citizen]:
                del self._open[citizen]


@router.post("/web/session")
def open_session(
    request: Request, response: Response, opening: Opening | None = None
) -> dict[str, Any]:
    """Start a session, or confirm the one the cookie holds.

    ``speech`` tells whether recordings are understood and whether answers come as sound.
    """
    check_guard(request)
    settings: Settings = request.app.state.settings
    conversation = conversation_of(request, settings) or new_conversation()
    if opening and opening.embedded and embed_origins(settings):
        set_embedded_cookie(response, conversation, settings)
    else:
        set_cookie(response, conversation, settings)
    return {"conversation_id": conversation, "speech": request.app.state.voice.capability}


@router.post("/web/session/end", status_code=204)
def end_session(request: Request, response: Response) -> None:
    """Take the session from this browser: the next one begins a conversation of its own."""
    check_guard(request)
    forget_cookies(response)


@router.post("/web/messages")
def post_message(content: WebContent, request: Request) -> Answer:
    """Answer one message from the page; a repeated one gets the first answer."""
    check_guard(request)
    message = Message(
        conversation_id=_conversation(request),
        channel="web",
        text=content.text,
        attachments=content.attachments,
    )
    rates_of(request).citizen(citizen_id(message.channel, message.conversation_id))
    handle: Callable[[Message], Answer] = request.app.state.conversation.handle
    if content.client_id is None:
        return handle(message)
    named = message.model_copy(update={"message_id": content.client_id})  # once for Rasa, too
    return answer_once(named, content.client_id, handle, HANDLING_SECONDS)


@router.post("/web/speech")
def read_aloud(content: Spoken, request: Request) -> Response:
    """Return a reply's ``speech``, or a part of it, as a WAV file."""
    check_guard(request)
    citizen = citizen_id("web", _conversation(request))
    sound = request.app.state.voice.speak(citizen, content.text)
    return Response(sound, media_type="audio/wav", headers={"Cache-Control": "no-store"})


@router.get("/web/events")
async def events(
    request: Request,
    last_event_id: Annotated[str, Header()] = "",
    after: Annotated[str, Query()] = "",
) -> StreamingResponse:
    """Push news to the page as server-sent events.

    The stream goes on after the last id the page has shown: the header ``Last-Event-ID`` of a
    browser that reconnects, else ``after`` of a page that opens the stream anew. Everything up
    to it counts as delivered. A page that names none hears what no page has confirmed.
    """
    check_own_page(request)
    citizen = citizen_id("web", _conversation(request))
    streams: Streams = request.app.state.streams
    streams.check(citizen)
    shown = _message_id(last_event_id)
    if shown is None:
        shown = _message_id(after) or None
    return StreamingResponse(
        streams.counted(citizen, _stream(request, citizen, shown)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _conversation(request: Request) -> str:
    conversation = conversation_of(request, request.app.state.settings)
    if conversation is None:
        raise InputError("session_missing", "会话已过期，请刷新页面。", "no valid session cookie")
    return conversation


def _message_id(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _ID_DIGITS else None


async def _stream(request: Request, citizen: str, shown: int | None) -> AsyncGenerator[str]:
    position = await anyio.to_thread.run_sync(_start, citizen, shown)
    spoke = time.monotonic()
    yield ": connected\n\n"
    while not await request.is_disconnected():
        for number, replies in await anyio.to_thread.run_sync(_news, citizen, position):
            position = number
            data = {"id": number, "replies": [Reply.of(r).model_dump() for r in replies]}
            text = json.dumps(data, ensure_ascii=False)
            yield f"id: {number}\nevent: message\ndata: {text}\n\n"
        if time.monotonic() - spoke > KEEPALIVE_SECONDS:
            spoke = time.monotonic()
            yield ": keep-alive\n\n"
        await anyio.sleep(POLL_SECONDS)


def _start(citizen: str, shown: int | None) -> int:
    """Take the page's word for what it has shown, or remember the last it confirmed."""
    if shown is None:
        with reading() as session:
            return last_message_id(session, citizen)
    with unit_of_work() as session:
        acknowledge(session, citizen, shown)
    return shown


def _news(citizen: str, after: int) -> list[tuple[int, list[dict[str, object]]]]:
    with reading() as session:
        if not has_messages(session, citizen, after):
            return []
    with unit_of_work() as session:
        return inbox(session, citizen, after)
