from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.e5_featurizer import E5Featurizer

TEXTS = ["身份证丢了怎么补办", "楼下餐馆油烟太大了", "我们厂能领什么补贴"]


def message(text: str) -> Message:
    tokens = [Token(text, 0)] if text else []
    return Message(data={TEXT: text, INTENT: "x", TOKENS_NAMES[TEXT]: tokens})


def vector(found: Message) -> np.ndarray:
    (features,) = [f for f in found.features if f.attribute == TEXT]
    assert features.type == FEATURE_TYPE_SENTENCE
    return features.features


class E5FeaturizerTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.storage = LocalModelStorage(Path(folder.name))
        self.resource = Resource("e5")
        self.context = ExecutionContext(GraphSchema({}), node_name="e5")
        self.config = E5Featurizer.get_default_config()

    def create(self) -> E5Featurizer:
        return E5Featurizer.create(self.config, self.storage, self.resource, self.context)

    def test_one_sentence_vector_a_message(self) -> None:
        messages = [message(text) for text in TEXTS]
        self.create().process(messages)
        for found in messages:
            self.assertEqual(vector(found).shape, (1, 384))
            self.assertEqual(vector(found).dtype, np.float32)
            self.assertAlmostEqual(float(np.linalg.norm(vector(found))), 10.0, places=2)

    def test_training_centres_the_cone(self) -> None:
        featurizer = self.create()
        data = TrainingData([message(text) for text in TEXTS])
        featurizer.train(data)
        featurizer.process_training_data(data)
        vectors = np.vstack([vector(found) for found in data.training_examples])
        np.testing.assert_allclose(vectors.mean(axis=0), 0.0, atol=1e-4)

    def test_a_loaded_featurizer_says_the_same(self) -> None:
        trained = self.create()
        trained.train(TrainingData([message(text) for text in TEXTS]))
        loaded = E5Featurizer.load(self.config, self.storage, self.resource, self.context)
        first, second = message("身份证补办要带什么"), message("身份证补办要带什么")
        trained.process([first])
        loaded.process([second])
        np.testing.assert_array_equal(vector(first), vector(second))

    def test_close_meaning_is_close(self) -> None:
        featurizer = self.create()
        texts = ["身份证丢了怎么补办", "身份证不见了去哪里重新办", "工地半夜施工太吵"]
        featurizer.train(TrainingData([message(text) for text in TEXTS + texts]))
        messages = [message(text) for text in texts]
        featurizer.process(messages)
        one, same, other = (vector(found)[0] for found in messages)
        self.assertGreater(float(one @ same), float(one @ other))

    def test_more_messages_than_a_batch(self) -> None:
        messages = [message(f"第{number}条消息") for number in range(70)]
        self.create().process(messages)
        single = message("第69条消息")
        self.create().process([single])
        np.testing.assert_allclose(vector(messages[69]), vector(single), atol=1e-4)

    def test_a_message_without_words_gets_nothing(self) -> None:
        empty = message("")
        self.create().process([empty])
        self.assertEqual(empty.features, [])

    def test_scale_must_be_positive(self) -> None:
        for scale in (0, -1):
            with self.assertRaises(ValueError):
                E5Featurizer.validate_config({"scale": scale})
        E5Featurizer.validate_config({"scale": 10.0})


if __name__ == "__main__":
    unittest.main()
