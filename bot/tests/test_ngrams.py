from __future__ import annotations

import random
import unittest
from functools import partial
from typing import List

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.components.intent_features import grams
from bot.components.ngrams import Vocabulary, ngrams, rows
from bot.tests.examples import development


def grams_of(block: int, text: str) -> List[str]:
    return grams(text)[block]


class NgramsTest(unittest.TestCase):
    def test_ngrams(self) -> None:
        self.assertEqual(ngrams("社保卡"), ["社", "保", "卡", "社保", "保卡"])
        self.assertEqual(ngrams(("se", "bao"), " "), ["se", "bao", "se bao"])
        self.assertEqual(ngrams(""), [])

    def test_the_numbers_are_scikit_learns(self) -> None:
        known, asked = development("plain"), [*development("colloquial"), "", "龘", "OK 好好好"]
        for block in (0, 1):
            analyzer = partial(grams_of, block)
            theirs = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=2).fit(known)
            ours = Vocabulary.learn([grams(text)[block] for text in known], rarest=2)
            self.assertEqual(set(ours.columns), set(theirs.vocabulary_))
            got = rows([[grams(text)[block]] for text in asked], [ours]).toarray()
            expected = theirs.transform(asked).toarray()
            order = [theirs.vocabulary_[gram] for gram in ours.columns]
            np.testing.assert_allclose(got, expected[:, order], atol=1e-6)

    def test_blocks_lie_side_by_side(self) -> None:
        chance = random.Random(5)
        sentences = [
            ["".join(chance.choices("甲乙丙", k=3)), "".join(chance.choices("ab", k=2))]
            for _ in range(20)
        ]
        blocks = list(zip(*sentences))
        known = [Vocabulary.learn(block, rarest=1) for block in blocks]
        together = rows(sentences, known).toarray()
        apart = [rows([[s] for s in block], [v]).toarray() for block, v in zip(blocks, known)]
        np.testing.assert_allclose(together, np.hstack(apart))
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), np.sqrt(2), atol=1e-5)

    def test_no_sentence(self) -> None:
        known = [Vocabulary.learn(["甲"], rarest=1)]
        self.assertEqual(rows([], known).shape, (0, 1))


if __name__ == "__main__":
    unittest.main()
