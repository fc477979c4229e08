from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List
from unittest import mock

from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.entity_training import Recipe, Training
from bot.components.understanding import SpokenUnderstanding

EXAMPLES: Dict[str, List[str]] = {
    "ask_service": ["身份证丢了怎么补办", "护照怎么办理", "想办居住证", "驾照怎么换"],
    "report_pollution": ["楼下餐馆油烟太大", "工地半夜施工太吵", "河里水发黑发臭", "厂里排黑烟"],
    "thank": ["谢谢你了", "太感谢了", "多谢帮忙", "谢谢您的耐心"],
}  # fmt: skip


def annotated(text: str) -> List[Dict[str, Any]]:
    return [
        {"entity": "service_item", "start": text.index(word), "end": text.index(word) + len(word)}
        for word in ("身份证", "护照", "居住证", "驾照")
        if word in text
    ]


class UnderstandingTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.storage = LocalModelStorage.create(Path(folder.name))
        self.resource = Resource("understanding")
        self.context = mock.Mock(node_name="understanding")
        self.config = SpokenUnderstanding.get_default_config()
        self.config["intents"]["rarest"] = 1
        messages = [
            Message(data={TEXT: text, INTENT: intent, ENTITIES: annotated(text)})
            for intent, texts in EXAMPLES.items()
            for text in texts
        ]
        self.trained = SpokenUnderstanding.create(
            self.config, self.storage, self.resource, self.context
        )
        self.trained.train(TrainingData(messages))

    def read(self, text: str, classifier: SpokenUnderstanding | None = None) -> Message:
        (message,) = (classifier or self.trained).process([Message(data={TEXT: text})])
        return message

    def test_meaning_characters_and_sounds(self) -> None:
        for text, intent in {
            "护照丢了要怎么补": "ask_service",
            "胡照咋么办理": "ask_service",
            "隔壁厂子冒黑烟": "report_pollution",
            "谢谢帮助": "thank",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(self.read(text).get(INTENT)["name"], intent)

    def test_the_ranking_is_a_distribution(self) -> None:
        ranking = self.read("河水又臭了").get("intent_ranking")
        self.assertEqual({rank["name"] for rank in ranking}, set(EXAMPLES))
        self.assertAlmostEqual(sum(rank["confidence"] for rank in ranking), 1.0, places=5)
        values = [rank["confidence"] for rank in ranking]
        self.assertEqual(values, sorted(values, reverse=True))

    def test_entities_are_found_and_carry_their_text(self) -> None:
        (found,) = self.read("护照丢了").get(ENTITIES)
        self.assertEqual((found["entity"], found["value"]), ("service_item", "护照"))
        self.assertEqual((found["start"], found["end"]), (0, 2))
        self.assertEqual(found["extractor"], "SpokenUnderstanding")

    def test_a_failed_training_of_the_tagger_is_an_error(self) -> None:
        recipe = Recipe(noisy_copies=1, renamed_copies=1, iterations=1, seed=1)
        with tempfile.TemporaryDirectory() as folder:
            training = Training(Path(folder), [], {}, recipe)
            with self.assertRaisesRegex(RuntimeError, "entity tagger"), training:
                (Path(folder) / "training.json").write_text("{}", "utf-8")

    def test_a_loaded_component_says_the_same(self) -> None:
        loaded = SpokenUnderstanding.load(self.config, self.storage, self.resource, self.context)
        for text in ("补身份证", "太吵了", "哈哈"):
            one, other = self.read(text).get(INTENT), self.read(text, loaded).get(INTENT)
            self.assertEqual(one["name"], other["name"])
            self.assertAlmostEqual(one["confidence"], other["confidence"], places=5)

    def test_temperature_softens_and_keeps_the_order(self) -> None:
        soft = SpokenUnderstanding.load(
            {**self.config, "temperature": 4.0}, self.storage, self.resource, self.context
        )
        one, other = self.read("补身份证").get(INTENT), self.read("补身份证", soft).get(INTENT)
        self.assertEqual(one["name"], other["name"])
        self.assertGreater(one["confidence"], other["confidence"])

    def test_a_message_without_words_is_left_alone(self) -> None:
        self.assertIsNone(self.read("").get("intent_ranking"))

    def test_configuration_is_checked(self) -> None:
        for name in ("strength", "scale", "iterations"):
            intents = {**self.config["intents"], name: 0}
            with self.assertRaisesRegex(ValueError, name):
                SpokenUnderstanding.validate_config({**self.config, "intents": intents})
        with self.assertRaisesRegex(ValueError, "temperature"):
            SpokenUnderstanding.validate_config({**self.config, "temperature": 0})


if __name__ == "__main__":
    unittest.main()
