from __future__ import annotations

import random
import unittest

from bot.components.pinyin import syllables
from bot.components.speech_noise import Noise, spoken

SENTENCE = [("我想补办", ""), ("身份证", "service_item"), ("，要带120块钱吗？", "")]


class SpeechNoiseTest(unittest.TestCase):
    def test_the_same_seed_says_the_same(self) -> None:
        self.assertEqual(spoken(SENTENCE, random.Random(5)), spoken(SENTENCE, random.Random(5)))

    def test_marks_and_digits_are_spoken(self) -> None:
        text = "".join(words for words, _ in spoken(SENTENCE, random.Random(1), Noise(0, 0, 0, 0)))
        self.assertEqual(text, "我想补办身份证要带一二零块钱吗")

    def test_misheard_words_sound_alike(self) -> None:
        noise = Noise(homophones=1, fillers=0, opening=0, stutter=0)
        for seed in range(50):
            found = spoken(SENTENCE, random.Random(seed), noise)
            heard = "".join(words for words, _ in found)
            self.assertEqual(syllables(heard), syllables("我想补办身份证要带一二零块钱吗"))
            self.assertEqual([entity for _, entity in found], ["", "service_item", ""])

    def test_entities_hold_no_fillers(self) -> None:
        noise = Noise(homophones=0, fillers=1, opening=1, stutter=1)
        for seed in range(20):
            entity = [w for w, e in spoken(SENTENCE, random.Random(seed), noise) if e]
            self.assertEqual(entity, ["身份证"])

    def test_it_does_misheard_something(self) -> None:
        heard = {
            "".join(w for w, _ in spoken([("我想补办社保卡", "")], random.Random(seed)))
            for seed in range(60)
        }
        self.assertGreater(len(heard), 20)


if __name__ == "__main__":
    unittest.main()
