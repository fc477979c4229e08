from __future__ import annotations

import random
import tempfile
import unittest
from pathlib import Path

from bot.components.entity_rules import matches
from bot.components.entity_tagger import (
    EntityTagger,
    Example,
    WordLists,
    labels_of,
    spans_of,
    train,
)
from bot.components.entity_training import misheard
from bot.components.pinyin import syllables
from bot.components.renaming import Renamer, place


def found(text: str, name: str) -> list[str]:
    return [text[start:end] for _, start, end in matches(text, (name,))]


class EntityRulesTest(unittest.TestCase):
    def test_patterns(self) -> None:
        for name, text, expected in [
            ("ticket_id", "查sm20261121000043x", ["sm20261121000043"]),
            ("ticket_id", "SM2026112100004", []),
            ("phone", "打13912345678或0599-81234567", ["13912345678", "0599-81234567"]),
            ("phone", "12345", []),
            ("time", "昨晚十点多到今早", ["昨晚十点多", "今早"]),
            ("time", "2021年6月注册，每天凌晨两三点", ["2021年6月", "每天凌晨两三点"]),
            ("time", "18号楼", []),
            ("time", "三年多了", ["三年多"]),
            ("age", "我妈八十二岁，我60周岁", ["八十二岁", "60周岁"]),
            ("amount", "三千多万，120块钱", ["三千多万", "120块钱"]),
            ("headcount", "一百二十个人，15名员工", ["一百二十个人", "15名员工"]),
        ]:  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(found(text, name), expected)


class EntityTaggerTest(unittest.TestCase):
    def test_it_learns_from_few_examples(self) -> None:
        things = ["身份证", "护照", "驾照", "社保卡", "居住证", "结婚证"]
        frames = ["补办{}要多久", "我的{}丢了", "{}怎么办", "去哪里换{}"]
        examples = [
            Example(f.format(t), (("service_item", f.index("{"), f.index("{") + len(t)),))
            for f in frames
            for t in things[:5]
        ] + [Example("今天天气真好", ()), Example("谢谢你的帮助", ())]
        lists = {"service_item": things}
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "entities.crfsuite"
            train(examples, lists, target, iterations=50)
            tagger = EntityTagger(target, lists)
            tagged = tagger.tag("结婚证丢了要多久，工单SM20261121000042")
            self.assertEqual(
                [span[:3] for span in tagged], [("service_item", 0, 3), ("ticket_id", 11, 27)]
            )
            self.assertTrue(all(0 < confidence <= 1 for *_, confidence in tagged))
            self.assertEqual(tagger.tag(""), [])

    def test_labels_and_spans_are_inverse(self) -> None:
        spans = (("time", 0, 2), ("time", 2, 3), ("location", 5, 6))
        self.assertEqual(tuple(spans_of(labels_of(Example("一二三四五六", spans)))), spans)

    def test_the_longest_word_of_a_list_counts(self) -> None:
        words = WordLists({"service_item": ["公积金", "公积金贷款"], "industry": []})
        self.assertEqual(words.matches("办公积金贷款"), [("service_item", 1, 6)])
        hidden = frozenset({"公积金贷款"})
        self.assertEqual(words.matches("办公积金贷款", hidden), [("service_item", 1, 4)])


class MisheardTest(unittest.TestCase):
    def test_spans_follow_their_words(self) -> None:
        example = Example("我要补办身份证，明天去", (("service_item", 4, 7), ("time", 8, 10)))
        for seed in range(30):
            noisy = misheard(example, random.Random(seed))
            self.assertEqual([name for name, *_ in noisy.spans], ["service_item", "time"])
            for (_, start, end), words in zip(noisy.spans, ("身份证", "明天")):
                self.assertEqual(len(syllables(noisy.text[start:end])), len(words))


class RenamerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.example = Example(
            "昨晚文昌路有油烟，我要办护照",
            (("location", 2, 5), ("pollution_type", 6, 8), ("service_item", 12, 14)),
        )
        self.lists = {"service_item": ["社保卡", "居住证"], "pollution_type": ["臭味", "扬尘"]}

    def test_only_names_change_and_spans_follow_them(self) -> None:
        renamer = Renamer([self.example], self.lists)
        hidden = set()
        for seed in range(50):
            copy = renamer.copy(self.example, random.Random(seed))
            place, nuisance, matter = (copy.text[start:end] for _, start, end in copy.spans)
            self.assertEqual(copy.text, f"昨晚{place}有{nuisance}，我要办{matter}")
            self.assertIn(nuisance, {"油烟", "臭味", "扬尘"})
            self.assertIn(matter, {"护照", "社保卡", "居住证"})
            self.assertLessEqual(copy.unknown, {place, nuisance, matter})
            hidden |= copy.unknown
        self.assertTrue({"臭味", "社保卡"} <= hidden)

    def test_a_name_that_no_list_holds_stays(self) -> None:
        example = Example("三十个人", (("headcount", 0, 4),))
        self.assertEqual(Renamer([], {}, 1.0).copy(example, random.Random(1)).text, "三十个人")

    def test_places_differ(self) -> None:
        rng = random.Random(7)
        self.assertGreater(len({place(rng) for _ in range(500)}), 450)


if __name__ == "__main__":
    unittest.main()
