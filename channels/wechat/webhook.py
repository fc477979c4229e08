"""The route WeChat pushes to, and answers given in its response (被动回复).

A push is stored before anything else. An answer that is there in time goes back in the response;
else the response is ``success`` and the sender carries it as a customer-service message. Whoever
claims the answer first has it, so it never goes both ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import anyio
import anyio.to_thread
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask

from base.errors import TooLargeError
from base.identity import citizen_id
from channels.message import Reply
from channels.seam.inbox import Pushed, store_pushed
from channels.wechat.envelope import Envelope
from channels.wechat.offering import meant, move_on, written
from channels.wechat.pushes import Push, read_push
from channels.wechat.wording import LONGEST_BYTES, divide_reply, rendered_size
from store.database import reading, unit_of_work
from store.incoming import find_incoming
from store.models import utc_now
from store.outgoing import Parcel, claim_answer, note_part, note_sent

log = structlog.get_logger(__name__)

CHANNEL = "wechat"
PATH = "/webhooks/wechat"
MAX_BODY_BYTES = 64 * 1024
LOOK_SECONDS = 0.15
LEASE = timedelta(seconds=30)
"""How long the sender leaves an answer alone that is on its way back in a response."""
_GAP = "\n\n"


@dataclass(frozen=True)
class Passive:
    """An answer, or its first ``taken`` of ``pieces``, as the text of a response."""

    parcel: Parcel
    text: str
    taken: int
    pieces: int


@dataclass(frozen=True)
class _Stored:
    """A message in the store: whether it is answered, and until when one waits for that."""

    id: int
    answered: bool
    left: timedelta


def webhook_routes(envelope: Envelope, grace: timedelta) -> APIRouter:
    """Return the routes; ``grace`` is how long a response waits for its answer."""
    router = APIRouter()

    @router.get(PATH)
    async def verify(request: Request, echostr: str = "") -> Response:
        """Answer the platform's question whether this server is the account's.

        Raises:
            InputError: ``signature_invalid``.
        """
        envelope.check(request.query_params)
        return PlainTextResponse(echostr[:200])

    @router.post(PATH)
    async def receive(request: Request) -> Response:
        """Store what is pushed. Any 200 means: do not push it again.

        Raises:
            InputError: ``signature_invalid``, ``xml_malformed``, ``body_too_large``.
        """
        push = read_push(envelope.open(request.query_params, await _body(request)))
        if push.content is None:
            return _success()
        await anyio.to_thread.run_sync(_keep, push)
        passive = await _answer(request, push, grace)
        if passive is None:
            return _success()
        xml = envelope.reply(push.openid, push.account, passive.text)
        out = BackgroundTask(anyio.to_thread.run_sync, _note, passive)
        return Response(xml, media_type="application/xml", background=out)

    return router


def _success() -> Response:
    return PlainTextResponse("success")


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise TooLargeError("body_too_large", "内容太大了。", f"over {MAX_BODY_BYTES} bytes")
    return bytes(data)


def _keep(push: Push) -> None:
    """Store a push, a choice as what it stands for; what was offered before is settled then."""
    assert push.content is not None
    citizen = citizen_id(CHANNEL, push.openid)
    began = utc_now()
    content = push.content
    if content["kind"] == "text":
        content = {**content, "text": meant(citizen, content["text"])}
    if store_pushed(CHANNEL, [Pushed(push.key, push.openid, content, push.album)]):
        move_on(citizen, began)


async def _answer(request: Request, push: Push, grace: timedelta) -> Passive | None:
    """Return the answer to a push if it is there in time and still nobody's."""
    try:
        while True:
            stored = await anyio.to_thread.run_sync(_look, push.key, grace)
            if stored is None or stored.left <= timedelta():
                return None
            if stored.answered:
                break
            await anyio.sleep(LOOK_SECONDS)
        if await request.is_disconnected():  # the platform has given up: it will push again
            return None
        return await anyio.to_thread.run_sync(_claim, stored.id)
    except SQLAlchemyError as error:  # it is stored: the sender answers
        log.error("store_down", error=type(error).__name__)
        return None


def _look(key: str, grace: timedelta) -> _Stored | None:
    with reading() as session:
        row = find_incoming(session, CHANNEL, key)
    if row is None:
        return None
    left = row.received_at + grace - utc_now()
    return _Stored(row.joined_to or row.id, row.state != "pending", left)


def _claim(incoming_id: int) -> Passive | None:
    """Take the answer, as much of it as one text holds."""
    now = utc_now()
    with unit_of_work() as session:
        parcel = claim_answer(session, incoming_id, now, LEASE)
        if parcel is None:
            return None
        pieces = [piece for raw in parcel.replies for piece in divide_reply(Reply.of(raw))]
        taken, size = 0, 0
        for piece in pieces:
            size += rendered_size(piece) + (len(_GAP) if taken else 0)
            if size > LONGEST_BYTES:
                break
            taken += 1
        texts = [written(session, parcel.citizen, piece, now) for piece in pieces[:taken]]
        if not texts:
            note_sent(session, parcel, now)
            return None
    return Passive(parcel, _GAP.join(texts), taken, len(pieces))


def _note(passive: Passive) -> None:
    """Write down that it is out; the sender goes on at once with what did not fit."""
    now = utc_now()
    with unit_of_work() as session:
        if passive.taken == passive.pieces:
            note_sent(session, passive.parcel, now)
        else:
            note_part(session, passive.parcel, passive.taken, now)
