from __future__ import annotations

import random
import unittest

from bot.components.normalise import normalise
from bot.components.pinyin import fold, readings, syllables
from bot.components.repair import Repairer
from bot.tests.examples import development, terms


class PinyinTest(unittest.TestCase):
    def test_accents_fall_together(self) -> None:
        for one, other in [("zhang", "zan"), ("shi", "si"), ("nan", "lan"), ("ren", "leng"),
                           ("fei", "hei"), ("ming", "min"), ("chun", "cun")]:  # fmt: skip
            self.assertEqual(fold(one), fold(other))

    def test_what_is_no_accent_stays_apart(self) -> None:
        for one, other in [("ba", "pa"), ("ji", "qi"), ("fu", "hu"), ("an", "ang_"), ("a", "e")]:
            self.assertNotEqual(fold(one), fold(other))

    def test_readings_and_syllables(self) -> None:
        self.assertIn("hang", readings("行"))
        self.assertEqual(readings("A"), ("A",))
        self.assertEqual(syllables("社保，卡"), syllables("设 保卡"))


class RepairTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.repairer = Repairer(terms())

    def test_misheard_terms(self) -> None:
        for heard, meant in {
            "补办设保卡": "补办社保卡",
            "公积金题取要多久": "公积金提取要多久",
            "聚住证到期了": "居住证到期了",
            "离婚登济收费吗": "离婚登记收费吗",
            "换驾使证": "换驾驶证",
            "我是灵活旧业人员": "我是灵活就业人员",
        }.items():
            with self.subTest(heard=heard):
                self.assertEqual(self.repairer.repair(heard), meant)

    def test_correct_sentences_are_left_alone(self) -> None:
        """What people write correctly is never changed: plain, colloquial and long-winded."""
        sentences = [normalise(text).text for text in development("plain", "colloquial", "elderly")]
        self.assertGreater(len(sentences), 350)
        changed = [text for text in sentences if self.repairer.repair(text) != text]
        self.assertEqual(changed, [])

    def test_near_words_that_are_words(self) -> None:
        for text in ("家里有烟味", "工地设了保安岗", "公司的基金提取", "身份正常", "有人举报警察",
                     "侬夜里来伐", "我啱啱出门", "快啲派人嚟", "仲要等几耐",
                     "住房补贴为什么没有我"):  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(self.repairer.repair(text), text)

    def test_length_and_rest_never_change(self) -> None:
        chance = random.Random(3)
        letters = "社设保卡公积金题提取身份正证 ，abc12😀居聚住有油烟登记济"
        for _ in range(500):
            text = "".join(chance.choice(letters) for _ in range(chance.randrange(0, 30)))
            fixed = self.repairer.repair(text)
            with self.subTest(text=text):
                self.assertEqual(len(fixed), len(text))
                for before, after in zip(text, fixed):
                    self.assertTrue(before == after or syllables(before)[0] == syllables(after)[0])

    def test_no_terms_no_change(self) -> None:
        self.assertEqual(Repairer([]).repair("补办设保卡"), "补办设保卡")


if __name__ == "__main__":
    unittest.main()
