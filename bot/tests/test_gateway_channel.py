"""The gateway channel on a real Sanic server."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import unittest
from typing import Any, Dict, List
from unittest import mock

import aiohttp
from rasa.core.channels.channel import UserMessage
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Sanic

from bot.gateway_channel import READ_AHEAD, GatewayInput, ReplyCollector

TOKEN = "shared-secret"
BODY = {"sender": "web:c-1", "channel": "web", "message": "你好", "metadata": {"photos": ["p"]}}
PARSED = {"intent": {"name": "greet", "confidence": 0.9}, "entities": []}


class Processor:
    """Understands everything as a greeting; counts how often it is asked."""

    def __init__(self) -> None:
        self.parsed: List[str] = []

    async def parse_message(self, message: UserMessage) -> Dict[str, Any]:
        self.parsed.append(message.text)
        return dict(PARSED)


class Agent:
    def __init__(self) -> None:
        self.processor = Processor()
        self.tracker_store = InMemoryTrackerStore(Domain.empty())


class GatewayChannelTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        Sanic.test_mode = True
        self.heard: List[UserMessage] = []
        app = Sanic(f"gateway_{self._testMethodName}")
        app.ctx.agent = self.agent = Agent()
        app.blueprint(GatewayInput(TOKEN).blueprint(self.answer), url_prefix="/webhooks/gateway")
        own = socket.socket()  # Sanic takes port 0 for its default port
        own.bind(("127.0.0.1", 0))
        server = await app.create_server(sock=own, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.before_start()
        await server.after_start()
        self.addAsyncCleanup(server.close)
        port = own.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/webhooks/gateway/"

    async def answer(self, message: UserMessage) -> None:
        self.heard.append(message)
        logging.getLogger("rasa.core").warning("said %s", message.text)
        await message.output_channel.send_response(
            message.sender_id,
            {"text": "您好", "buttons": [{"title": "帮助", "payload": "/help"}]},
        )
        await message.output_channel.send_response(message.sender_id, {"custom": {"cards": []}})

    async def post(self, headers: Dict[str, str], body: Any = None, to: str = "webhook") -> Any:
        sent = {"json": body or BODY, "headers": headers}
        async with aiohttp.ClientSession() as http, http.post(self.url + to, **sent) as answer:
            return answer.status, await answer.json()

    async def test_one_request_one_answer(self) -> None:
        status, answer = await self.post({"X-Rasa-Token": TOKEN})
        self.assertEqual(status, 200)
        self.assertEqual(answer["understanding"], PARSED)
        buttons = [{"title": "帮助", "payload": "/help"}]
        self.assertEqual(
            answer["replies"],
            [
                {"text": "您好", "buttons": buttons, "custom": {}},
                {"text": "", "buttons": [], "custom": {"cards": []}},
            ],
        )
        (message,) = self.heard
        self.assertEqual((message.sender_id, message.input_channel), ("web:c-1", "web"))
        self.assertEqual(message.metadata, {"photos": ["p"]})
        self.assertEqual(message.parse_data, PARSED)

    async def test_the_trace_goes_on_to_the_actions_and_into_the_log(self) -> None:
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        headers = {"X-Rasa-Token": TOKEN, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        with self.assertLogs("rasa.core", "WARNING") as written:
            await self.post(headers)
            await self.post({"X-Rasa-Token": TOKEN})
        first, second = self.heard
        self.assertEqual(first.metadata, {"photos": ["p"], "traceparent": headers["traceparent"]})
        self.assertEqual(second.metadata, {"photos": ["p"]})
        said = [record.getMessage() for record in written.records]
        self.assertEqual(said, [f"said 你好 trace={trace}", "said 你好"])

    async def test_without_the_token_nothing_is_heard(self) -> None:
        for headers in (
            {},
            {"X-Rasa-Token": ""},
            {"X-Rasa-Token": TOKEN + "x"},
            {"X-Rasa-Token": TOKEN[:-1]},
            {"Authorization": f"Bearer {TOKEN}"},
        ):
            for route in ("webhook", "read"):
                status, answer = await self.post(headers, to=route)
                self.assertEqual((status, answer), (401, {"error": "unauthorized"}))
        self.assertEqual(self.heard, [])
        self.assertEqual(self.agent.processor.parsed, ["你好"])

    async def test_a_message_read_ahead_is_parsed_once(self) -> None:
        headers = {"X-Rasa-Token": TOKEN}
        found = await self.post(headers, {"message": "你好"}, "read")
        self.assertEqual(found, (200, {"understanding": PARSED}))
        self.assertEqual(self.heard, [])
        parsed = len(self.agent.processor.parsed)
        _, answer = await self.post(headers)
        self.assertEqual(answer["understanding"], PARSED)
        self.assertEqual(len(self.agent.processor.parsed), parsed)
        await self.post(headers)  # said again without photos: nothing stale is used
        self.assertEqual(len(self.agent.processor.parsed), parsed + 1)

    async def test_of_what_was_read_ahead_only_the_latest_is_kept(self) -> None:
        headers = {"X-Rasa-Token": TOKEN}
        for number in range(READ_AHEAD + 1):
            await self.post(headers, {"message": f"你好{number}"}, "read")
        parsed = len(self.agent.processor.parsed)
        for number, again in ((0, 1), (1, 1), (READ_AHEAD, 1)):
            await self.post(headers, {**BODY, "message": f"你好{number}"})
            self.assertEqual(len(self.agent.processor.parsed), parsed + again)

    async def test_a_named_message_is_handled_once(self) -> None:
        headers = {"X-Rasa-Token": TOKEN}
        body = {**BODY, "named": True, "metadata": {"message_id": "m-1"}}
        await self.post(headers, body)
        self.assertEqual(len(self.heard), 1)
        events = [UserUttered("你好", metadata={"message_id": "m-1"}), BotUttered("您好")]
        kept = DialogueStateTracker.from_events("web:c-1", events)
        await self.agent.tracker_store.save(kept)
        _, answer = await self.post(headers, body)
        self.assertEqual(answer["replies"], [{"text": "您好", "buttons": [], "custom": {}}])
        self.assertEqual(answer["understanding"], PARSED)
        self.assertEqual(len(self.heard), 1)
        await self.post(headers, {**body, "metadata": {"message_id": "m-2"}})
        await self.post(headers, BODY)
        self.assertEqual(len(self.heard), 3)

    async def test_the_server_warms_up(self) -> None:
        self.assertEqual(self.agent.processor.parsed, ["你好"])
        await self.post({"X-Rasa-Token": TOKEN})
        self.assertEqual(len(self.agent.processor.parsed), 2)


class GatewayConfigurationTest(unittest.TestCase):
    def test_no_token_no_channel(self) -> None:
        with mock.patch.dict(os.environ, {"SHIMIN_RASA_TOKEN": ""}):
            for credentials in (None, {}, {"token": ""}):
                with self.assertRaisesRegex(ValueError, "SHIMIN_RASA_TOKEN"):
                    GatewayInput.from_credentials(credentials)
        self.assertEqual(GatewayInput.name(), ReplyCollector.name())

    def test_plain_text_is_collected_too(self) -> None:
        collector = ReplyCollector()
        asyncio.run(collector.send_text_message("c", "您好"))
        self.assertEqual(collector.replies, [{"text": "您好", "buttons": [], "custom": {}}])


if __name__ == "__main__":
    unittest.main()
