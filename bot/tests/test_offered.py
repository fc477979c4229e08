"""A title that is written out, or its number, presses the button."""

from __future__ import annotations

import unittest
from typing import Dict, List, Optional, Text

from rasa.shared.core.events import BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.offered import pressed


def said(text: Text, message_id: Text) -> UserUttered:
    return UserUttered(text, metadata={"message_id": message_id})


def offering(**buttons: Text) -> BotUttered:
    rows: List[Dict[Text, Text]] = [{"title": t, "payload": p} for t, p in buttons.items()]
    return BotUttered("请选一个", {"buttons": rows})


def meant(text: Text, *events: Event, message_id: Text = "now") -> Optional[Text]:
    return pressed(DialogueStateTracker.from_events("api:1", list(events)), text, message_id)


class PressedTest(unittest.TestCase):
    def test_a_title_is_its_button_however_it_is_written(self) -> None:
        shown = (said("社保卡", "m-1"), offering(损坏或到期="/choose_situation"))
        for text in ("损坏或到期", " 损坏或到期。", "损坏或到期！"):
            self.assertEqual(meant(text, *shown), "/choose_situation", text)
        for text in ("损坏", "我的损坏或到期了", "/损坏或到期", "", "。"):
            self.assertIsNone(meant(text, *shown), text)

    def test_full_width_characters_are_the_same(self) -> None:
        shown = (said("补贴", "m-1"), offering(**{"A类(2级)": "/a"}))
        self.assertEqual(meant("Ａ类（2级）", *shown), "/a")

    def test_a_number_presses_what_shows_that_number(self) -> None:
        shown = (
            said("生了宝宝", "m-1"),
            offering(**{"建个清单": "/l", "1. 登记": "/1", "12、落户": "/12"}),
        )
        for text, payload in (("1", "/1"), ("１。", "/1"), ("第1个", "/1"), ("选12", "/12")):
            self.assertEqual(meant(text, *shown), payload, text)
        for text in ("3", "0", "1个孩子", "112", "建"):
            self.assertIsNone(meant(text, *shown), text)

    def test_a_bare_number_is_an_answer_where_no_title_has_one(self) -> None:
        self.assertIsNone(meant("1", said("社保卡", "m-1"), offering(申领="/a", 补领="/b")))

    def test_only_what_was_offered_last_counts(self) -> None:
        before = (said("社保卡", "m-1"), offering(申领="/old"))
        self.assertEqual(meant("申领", *before, offering(补领="/b")), "/old", "one answer of two")
        self.assertIsNone(meant("申领", *before, said("等等", "m-2"), BotUttered("好的")))

    def test_a_message_that_comes_again_is_read_as_before(self) -> None:
        events = (
            said("社保卡", "m-1"),
            offering(申领="/first"),
            said("申领", "m-2"),
            offering(申领="/second"),
        )
        self.assertEqual(meant("申领", *events, message_id="m-2"), "/first")
        self.assertEqual(meant("申领", *events, message_id="m-3"), "/second")

    def test_without_a_conversation_or_buttons_words_are_words(self) -> None:
        self.assertIsNone(pressed(None, "申领", "m-1"))
        self.assertIsNone(meant("申领", said("你好", "m-1"), BotUttered("您好")))


if __name__ == "__main__":
    unittest.main()
