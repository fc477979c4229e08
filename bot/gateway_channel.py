"""The channel between the gateway and Rasa: one request, replies and understanding back."""

from __future__ import annotations

import gc
import hmac
import os
from collections import OrderedDict
from functools import partial
from typing import Any, Awaitable, Callable, Dict, List, Optional, Sequence, Text, Tuple

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.action_calls import end_calls, make_calls_short
from bot.handled import InHand, turns_of
from bot.offered import LONGEST, pressed
from bot.rule_lookup import look_rules_up
from bot.trace import HEADER, mark_log_lines, traced
from bot.wishes import Wish, wishes

Reading = Tuple[Dict[Text, Any], List[Wish]]

READ_AHEAD = 32
"""Readings kept for messages whose photos are still being checked."""

ATTACHED = ("photos", "videos", "taken_at", "locations")
"""What comes with a message and belongs to one wish of it."""


class ReplyCollector(OutputChannel):
    """Collects the bot's messages as the gateway's replies (text, buttons, custom)."""

    def __init__(self) -> None:
        self.replies: List[Dict[Text, Any]] = []

    @classmethod
    def name(cls) -> Text:
        """Name of the output channel."""
        return "gateway"

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Keep one bot message whole instead of splitting text, buttons and payload."""
        self.replies.append(
            {
                "text": message.get("text") or "",
                "buttons": message.get("buttons") or [],
                "custom": message.get("custom") or {},
            }
        )

    async def send_text_message(self, recipient_id: Text, text: Text, **kwargs: Any) -> None:
        """Collect a plain text message."""
        await self.send_response(recipient_id, {"text": text})


class GatewayInput(InputChannel):
    """``POST /webhooks/gateway/webhook`` with ``X-Rasa-Token``.

    Body: ``{"sender", "channel", "message", "metadata", "named"}``. Answer: ``{"replies": [...],
    "understanding": {...}}`` where understanding is Rasa's parse of this message. A message that
    its sender ``named`` (``message_id`` in the metadata) is handled once, however often it comes.
    The title of a button that was just offered is what the button carries (bot/offered.py).

    ``POST /webhooks/gateway/read`` with ``{"message"}`` parses a message that is going to come,
    while the gateway looks at its photos; no conversation hears of it. It answers with the
    understanding, which is all the gateway needs of what a citizen says to a person.
    """

    def __init__(self, token: Text) -> None:
        if not token:
            raise ValueError("SHIMIN_RASA_TOKEN is not set")
        self._token = token
        self._read_ahead: "OrderedDict[Text, Reading]" = OrderedDict()
        self._in_hand = InHand()
        make_calls_short()
        look_rules_up()
        mark_log_lines()

    @classmethod
    def name(cls) -> Text:
        """Name of the input channel and of its URL."""
        return "gateway"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> InputChannel:
        """Read the shared secret from credentials.yml."""
        return cls((credentials or {}).get("token") or os.environ.get("SHIMIN_RASA_TOKEN", ""))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the channel."""
        routes = Blueprint("gateway_webhook", __name__)

        @routes.listener("after_server_start")
        async def warm_up(app: Sanic, _loop: Any) -> None:
            """Load dictionaries before the first citizen waits for them.

            What is loaded by then is taken out of what the garbage collector looks at, as
            base/memory.py does in the other processes: each look would stop everybody.
            """
            await app.ctx.agent.processor.parse_message(UserMessage("你好"))
            gc.collect()
            gc.freeze()

        @routes.listener("before_server_stop")
        async def say_goodbye(app: Sanic, _loop: Any) -> None:
            await end_calls(app.ctx.agent.action_endpoint)

        @routes.on_request
        async def refuse_strangers(request: Request) -> Optional[HTTPResponse]:
            given = request.headers.get("X-Rasa-Token", "")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return response.json({"error": "unauthorized"}, status=401)
            return None

        @routes.route("/read", methods=["POST"])
        async def read_ahead(request: Request) -> HTTPResponse:
            text = request.json["message"]
            processor = request.app.ctx.agent.processor
            with traced(request.headers.get(HEADER)):
                reading = await _understand(processor, text)
            self._read_ahead[text] = reading
            while len(self._read_ahead) > READ_AHEAD:
                self._read_ahead.popitem(last=False)
            return response.json({"understanding": reading[0]})

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            header, agent = request.headers.get(HEADER), request.app.ctx.agent
            body = _with_trace(request.json, header)
            work = partial(self._handle, body, agent, on_new_message)
            with traced(header):
                if not body.get("named"):
                    return response.json(await work())
                message_id = body["metadata"]["message_id"]
                return response.json(await self._in_hand.once(body["sender"], message_id, work))

        return routes

    async def _handle(
        self, body: Dict[Text, Any], agent: Any, on_new_message: Callable[[UserMessage], Any]
    ) -> Dict[Text, Any]:
        """Let the assistant hear a message, but for the wishes of it that it heard before."""
        collector = ReplyCollector()
        text, message_id = body["message"], (body.get("metadata") or {}).get("message_id")
        reading = self._read_ahead.pop(text, None)
        tracker = None
        if body.get("named") or len(text) <= LONGEST:
            tracker = await agent.tracker_store.retrieve(body["sender"])
        payload = pressed(tracker, text, message_id)
        if payload is not None:
            body, reading = {**body, "message": payload}, None
        if reading is None:
            reading = await _understand(agent.processor, body["message"])
        messages = _messages(body, collector, reading)
        heard = 0
        if body.get("named"):
            heard, spoken = turns_of(tracker, message_id)
            for said in spoken:
                await collector.send_response(body["sender"], said)
        for message in messages[heard:]:
            await on_new_message(message)
        return {"replies": collector.replies, "understanding": messages[0].parse_data}


def read(processor: MessageProcessor, texts: Sequence[Text]) -> List[Dict[Text, Any]]:
    """Return Rasa's understanding of several texts, read in one go and kept nowhere."""
    if not texts:
        return []
    target = processor.model_metadata.nlu_target
    found = processor.graph_runner.run(
        inputs={PLACEHOLDER_MESSAGE: [UserMessage(t) for t in texts], PLACEHOLDER_TRACKER: None},
        targets=[target],
    )
    return [message.as_dict(only_output_properties=True) for message in found[target]]


async def _understand(processor: MessageProcessor, text: Text) -> Reading:
    """Return Rasa's parse of a message and its wishes (bot/wishes.py), none when it is one."""
    whole = await processor.parse_message(UserMessage(text))
    if text.startswith("/") or whole["intent"]["name"] == "emergency":
        return whole, []
    found = wishes(text, partial(read, processor))
    return whole, (found if len(found) > 1 else [])


def _with_trace(body: Dict[Text, Any], header: Optional[Text]) -> Dict[Text, Any]:
    """Return a request's body with the trace among the metadata, where actions find it."""
    if header is None:
        return body
    return {**body, "metadata": {**(body.get("metadata") or {}), HEADER: header}}


def _messages(
    body: Dict[Text, Any], collector: ReplyCollector, reading: Reading
) -> List[UserMessage]:
    """Return the message, or one for each of its wishes.

    What is attached goes with the complaint, or with the first wish when there is none.
    """
    metadata = body.get("metadata") or {}

    def message(text: Text, metadata: Dict[Text, Any], parsed: Dict[Text, Any]) -> UserMessage:
        return UserMessage(
            text,
            collector,
            body["sender"],
            parse_data=parsed,
            input_channel=body["channel"],
            metadata=metadata,
        )

    whole, found = reading
    if not found:
        return [message(body["message"], metadata, whole)]
    taker = next((wish for wish in found if wish.family == "complaint"), found[0])
    bare = {**metadata, **{key: [] for key in ATTACHED}}
    return [
        message(
            wish.text, {**(metadata if wish is taker else bare), "text": wish.text}, wish.reading
        )
        for wish in found
    ]
