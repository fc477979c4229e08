"""A message that is sent again under its own name is handled once."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, Dict, List

from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.handled import InHand, turns_of


def conversation(*events: Event) -> DialogueStateTracker:
    return DialogueStateTracker.from_events("telegram:1", list(events))


def said(text: str, message_id: str) -> UserUttered:
    return UserUttered(text, metadata={"message_id": message_id})


class TurnsTest(unittest.TestCase):
    def test_the_replies_of_a_message_and_of_no_other(self) -> None:
        tracker = conversation(
            said("你好", "m-1"),
            BotUttered("您好"),
            said("灯坏了", "m-2"),
            ActionExecuted("action_report"),
            BotUttered("在哪里？", {"buttons": [{"title": "取消", "payload": "/cancel"}]}),
            BotUttered("", {"custom": {"cards": []}}),
            said("文昌街", "m-3"),
            BotUttered("请核对"),
        )
        turns, spoken = turns_of(tracker, "m-2")
        self.assertEqual(turns, 1)
        self.assertEqual([reply["text"] for reply in spoken], ["在哪里？", ""])
        self.assertEqual(spoken[0]["buttons"], [{"title": "取消", "payload": "/cancel"}])
        self.assertEqual(spoken[1]["custom"], {"cards": []})

    def test_every_wish_of_a_message_is_counted(self) -> None:
        tracker = conversation(
            said("灯坏了", "m-1"), BotUttered("在哪里？"), said("带什么", "m-1"), BotUttered("要带")
        )
        turns, spoken = turns_of(tracker, "m-1")
        self.assertEqual((turns, [r["text"] for r in spoken]), (2, ["在哪里？", "要带"]))

    def test_what_was_never_heard_or_never_answered_is_worth_another_try(self) -> None:
        silent = conversation(said("灯坏了", "m-1"), ActionExecuted("action_report"))
        for tracker, name in ((None, "m-1"), (silent, "m-1"), (silent, "m-2")):
            self.assertEqual(turns_of(tracker, name), (0, []))


class InHandTest(unittest.IsolatedAsyncioTestCase):
    async def test_sent_again_meanwhile_it_waits_for_the_same_answer(self) -> None:
        begun: List[int] = []
        release, in_hand = asyncio.Event(), InHand()

        async def work() -> Dict[str, Any]:
            begun.append(1)
            await release.wait()
            return {"replies": [len(begun)]}

        first = asyncio.ensure_future(in_hand.once("telegram:1", "m-1", work))
        await asyncio.sleep(0)
        first.cancel()  # the gateway hung up
        second = asyncio.ensure_future(in_hand.once("telegram:1", "m-1", work))
        other = asyncio.ensure_future(in_hand.once("telegram:2", "m-1", work))
        await asyncio.sleep(0)
        release.set()
        self.assertEqual(await second, {"replies": [2]})
        await other
        self.assertEqual(len(begun), 2)
        with self.assertRaises(asyncio.CancelledError):
            await first
        await in_hand.once("telegram:1", "m-1", work)  # over: the tracker tells from now on
        self.assertEqual(len(begun), 3)

    async def test_a_failure_is_everybodys_and_is_not_kept(self) -> None:
        in_hand = InHand()

        async def fail() -> Dict[str, Any]:
            raise ValueError("no")

        async def work() -> Dict[str, Any]:
            return {"replies": []}

        with self.assertRaises(ValueError):
            await in_hand.once("telegram:1", "m-1", fail)
        self.assertEqual(await in_hand.once("telegram:1", "m-1", work), {"replies": []})


if __name__ == "__main__":
    unittest.main()
