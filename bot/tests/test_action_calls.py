"""Calls bring the latest messages; the check of answers is as strict as Rasa's own."""

from __future__ import annotations

import asyncio
import re
import time
import unittest

import jsonschema
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.action_calls import RECENT_MESSAGES, end_calls, make_calls_short

RASAS_OWN = RemoteAction._validate_action_result
RASAS_CALL = RemoteAction._action_call_format
RASAS_SESSION = EndpointConfig.session
GOOD = [
    {"events": [], "responses": []},
    {"events": [{"event": "slot", "name": "place", "value": {"address": "文昌路"}}]},
    {"responses": [{"text": "已受理", "buttons": [{"title": "好", "payload": "/affirm"}]}]},
]
BAD = [
    [],
    {"events": {}},
    {"events": [{"event": "no such event"}]},
    {"events": [{"event": "slot"}]},
    {"events": [{"event": ["slot"], "name": "place"}]},
    {"events": ["slot"]},
    {"events": [{"name": "place"}]},
    {"events": [{"event": "slot", "name": "place", "timestamp": "now"}]},
    {"responses": ["已受理"]},
]


class ActionCallsTest(unittest.TestCase):
    def setUp(self) -> None:
        make_calls_short()
        self.addCleanup(setattr, RemoteAction, "_action_call_format", RASAS_CALL)
        self.addCleanup(setattr, RemoteAction, "_validate_action_result", RASAS_OWN)
        self.action = RemoteAction("action_any", None)

    def called(self, messages: int) -> tuple[dict, dict]:
        """A call in a conversation of some messages, ours and Rasa's."""
        domain = Domain.from_dict({"slots": {"place": {"type": "any", "mappings": []}}})
        events = [SlotSet("place", "文昌路")]
        for number in range(messages):
            events += [UserUttered(str(number)), BotUttered("好"), ActionExecuted("action_listen")]
        tracker = DialogueStateTracker.from_events("c-1", events, slots=domain.slots)
        call = self.action._action_call_format(tracker, domain)
        self.assertEqual(len(tracker.events), len(events))
        return call, RASAS_CALL(self.action, tracker, domain)

    def test_a_call_brings_the_latest_messages_and_every_slot(self) -> None:
        short, whole = self.called(RECENT_MESSAGES + 5)
        events = short["tracker"].pop("events")
        self.assertEqual(events, whole["tracker"].pop("events")[-3 * RECENT_MESSAGES :])
        self.assertEqual(events[0]["text"], "5")
        self.assertEqual(short, whole)
        self.assertEqual(short["tracker"]["slots"]["place"], "文昌路")

    def test_no_action_gets_the_domain(self) -> None:
        endpoint = EndpointConfig("http://127.0.0.1:1", enable_selective_domain=True)
        self.action = RemoteAction("action_any", endpoint)
        short, whole = self.called(1)
        self.assertNotIn("domain", whole)
        self.assertEqual(short, {**whole, "domain": {}})

    def test_a_short_conversation_comes_whole(self) -> None:
        for messages in (0, 1, RECENT_MESSAGES - 1):
            short, whole = self.called(messages)
            self.assertEqual(short, whole)

    def test_it_agrees_with_rasa(self) -> None:
        for answer in GOOD:
            self.assertTrue(self.action._validate_action_result(answer))
            self.assertTrue(RASAS_OWN(self.action, answer))
        for answer in BAD:
            with self.assertRaises(jsonschema.ValidationError):
                self.action._validate_action_result(answer)
            with self.assertRaises(jsonschema.ValidationError):
                RASAS_OWN(self.action, answer)

    def test_it_is_many_times_faster(self) -> None:
        self.action._validate_action_result(GOOD[1])

        def seconds(check: object) -> float:
            started = time.process_time()
            for _ in range(10):
                check(self.action, GOOD[1])
            return time.process_time() - started

        self.assertLess(seconds(RemoteAction._validate_action_result) * 3, seconds(RASAS_OWN))


class SessionTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        make_calls_short()
        self.addCleanup(setattr, EndpointConfig, "session", RASAS_SESSION)
        self.connections = 0
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.endpoint = EndpointConfig(f"http://127.0.0.1:{port}", headers={"X-Own": "1"})
        self.addAsyncCleanup(end_calls, self.endpoint)
        self.addCleanup(self.server.close)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """An HTTP server that answers two requests a connection, then hangs up."""
        self.connections += 1
        for _ in range(2):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break  # the client has left
            self.assertIn(b"X-Own: 1", head)
            await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
            )
        writer.close()
        await writer.wait_closed()

    async def test_calls_share_a_connection_until_the_server_hangs_up(self) -> None:
        for number, connections in enumerate((1, 1, 2, 2, 3)):
            self.assertEqual(await self.endpoint.request(json={"number": number}), {})
            self.assertEqual(self.connections, connections)
            await asyncio.sleep(0.05)  # in which a hang-up is heard, as in life

    async def test_calls_go_on_after_the_end(self) -> None:
        await self.endpoint.request(json={})
        await end_calls(self.endpoint)
        self.assertEqual(await self.endpoint.request(json={}), {})


if __name__ == "__main__":
    unittest.main()
