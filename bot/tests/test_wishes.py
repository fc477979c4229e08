"""Cutting a message into wishes, with a reader whose understanding is a table."""

from __future__ import annotations

import re
import unittest
from typing import Any, Dict, List, Sequence, Tuple

from bot.wishes import wishes

READINGS: List[Tuple[str, str, str]] = [
    ("油烟|太吵", "report_pollution", ""),
    ("路灯", "report_city_issue", ""),
    ("带什么材料", "ask_materials", ""),
    ("多少钱", "ask_fee", ""),
    ("身份证", "ask_service", "身份证"),
    ("护照", "ask_service", "护照"),
    ("补贴", "ask_policy", ""),
    ("进度", "check_ticket", ""),
    ("给五分", "rate_ticket", ""),
    ("换工作", "update_profile", ""),
]


def reading(text: str) -> Dict[str, Any]:
    entities = [
        {"entity": "service_item", "value": thing}
        for words, _, thing in READINGS
        if thing and re.search(words, text)
    ]
    for words, intent, _ in READINGS:
        if re.search(words, text):
            return {"intent": {"name": intent, "confidence": 0.95}, "entities": entities}
    return {"intent": {"name": "chitchat", "confidence": 0.9}, "entities": []}


def cut(text: str) -> List[Tuple[str, str]]:
    found = wishes(text, lambda texts: [reading(text) for text in texts])
    return [(wish.text, wish.intent) for wish in found]


class WishesTest(unittest.TestCase):
    def test_what_can_be_answered_at_once_comes_first(self) -> None:
        self.assertEqual(
            cut("楼下油烟太大，顺便问下身份证丢了怎么办"),
            [("顺便问下身份证丢了怎么办", "ask_service"), ("楼下油烟太大", "report_pollution")],
        )
        self.assertEqual(
            [intent for _, intent in cut("我能领什么补贴，还有那个单子的进度")],
            ["check_ticket", "ask_policy"],
        )

    def test_two_questions_about_one_matter(self) -> None:
        self.assertEqual(
            [intent for _, intent in cut("要带什么材料，多少钱")], ["ask_materials", "ask_fee"]
        )

    def test_two_matters(self) -> None:
        self.assertEqual(len(cut("身份证丢了怎么办，还有护照怎么办")), 2)
        self.assertEqual(cut("身份证丢了，身份证怎么办"), [])

    def test_a_matter_and_its_question_are_one_wish(self) -> None:
        self.assertEqual(cut("我想办身份证，要带什么材料"), [])

    def test_a_long_story_is_one_wish(self) -> None:
        self.assertEqual(cut("我今年七十了，住在文昌路，楼下油烟太大，晚上太吵，没法睡"), [])

    def test_two_problems_are_one_complaint(self) -> None:
        self.assertEqual(cut("楼下油烟太大，路灯也坏了"), [])

    def test_what_belongs_together_stays_together(self) -> None:
        self.assertEqual(cut("我换工作了，我能领什么补贴"), [])
        self.assertEqual(cut("给五分，那个单子的进度很快"), [])
        self.assertEqual(len(cut("给五分，还有那张单子的进度呢")), 2)

    def test_a_late_question_in_a_story_is_part_of_it(self) -> None:
        self.assertEqual(cut("要带什么材料，我昨天跑了一趟人家也没说清楚到底多少钱"), [])

    def test_every_clause_is_read_once_and_a_joined_stretch_again(self) -> None:
        seen: List[str] = []

        def read(texts: Sequence[str]) -> List[Dict[str, Any]]:
            seen.extend(texts)
            return [reading(text) for text in texts]

        wishes("楼下油烟太大，熏死人了，顺便问下身份证丢了怎么办", read)
        self.assertEqual(
            seen,
            ["楼下油烟太大", "熏死人了", "顺便问下身份证丢了怎么办", "楼下油烟太大，熏死人了，"],
        )

    def test_marks_alone_and_short_texts(self) -> None:
        for text in ("", "，，，", "好，好", "身份证", "？？？！"):
            self.assertEqual(cut(text), [])


if __name__ == "__main__":
    unittest.main()
