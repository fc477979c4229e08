from __future__ import annotations

import random
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.normalise import normalise
from bot.components.normaliser import Normaliser

ROOT = Path(__file__).resolve().parents[2]
ALPHABET = (
    "嗯呃额唔哎呀诶喂就是说那个这个怎么说呢，。！？、…~～,.!? 　\t\n"
    "樓下餐館油煙太大了身份證補辦１２３ＡＢｃ（）９0a臺后裡麵頭髮乾淨"
)


def random_texts(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    texts = []
    for _ in range(count):
        alphabet = ALPHABET if chance.random() < 0.8 else [chr(c) for c in range(1, 0x9FFF, 7)]
        texts.append("".join(chance.choice(alphabet) for _ in range(chance.randrange(1, 40))))
    return texts


class NormaliseTest(unittest.TestCase):
    def test_examples(self) -> None:
        for text, expected in {
            "楼下餐馆油烟太大了": "楼下餐馆油烟太大了",
            "樓下餐館油煙太大了": "楼下餐馆油烟太大了",
            "嗯，那个那个，我想问一下社保卡": "我想问一下社保卡",
            "那个工地半夜施工": "那个工地半夜施工",
            "喂喂，有人吗": "有人吗",
            "我妈８２岁了": "我妈82岁了",
            "ＳＭ２０２６": "SM2026",
            "太吵了！！！！": "太吵了！",
            "身份证  丢了": "身份证丢了",
            "iphone  15 pro": "iphone 15 pro",
            " 你好　": "你好",
            "嗯嗯嗯那个我我我想问一下": "我想问一下",
            "我就是就是想问问": "我就是想问问",
            "我想我想查一下": "我想查一下",
            "金额和名额": "金额和名额",
            "看看这家那家": "看看这家那家",
            "二零二一年三月注册": "2021年三月注册",
            "电话幺三八零零一二三四五六七八": "电话1380012345678",
            "三三两两七七八八": "三三两两七七八八",
            "五六七个人": "五六七个人",
            "嗯": "嗯",
            "嗯嗯。": "嗯嗯。",
            "": "",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(normalise(text).text, expected)

    def test_every_character_knows_where_it_came_from(self) -> None:
        for text in random_texts(3000, seed=7):
            result = normalise(text)
            with self.subTest(text=text):
                self.assertEqual(len(result.text), len(result.origin))
                self.assertEqual(list(result.origin), sorted(set(result.origin)))
                self.assertTrue(all(0 <= index < len(text) for index in result.origin))

    def test_a_message_never_becomes_empty(self) -> None:
        for text in random_texts(3000, seed=11):
            with self.subTest(text=text):
                self.assertEqual(bool(normalise(text).text), bool(text.strip()))

    def test_the_result_has_no_edges_and_no_double_spaces(self) -> None:
        for text in random_texts(1000, seed=13):
            result = normalise(text).text
            with self.subTest(text=text):
                self.assertEqual(result, result.strip())
                self.assertNotIn("  ", result)
                self.assertNotRegex(result, r"([，。！？、,.!?~～…])\1")

    def test_spans_cover_what_is_left_of_the_source(self) -> None:
        chance = random.Random(17)
        for text in random_texts(2000, seed=17):
            result = normalise(text)
            start = chance.randrange(len(text))
            end = chance.randrange(start, len(text)) + 1
            span = result.span(start, end)
            kept = [i for i in result.origin if start <= i < end]
            with self.subTest(text=text, start=start, end=end):
                if span is None:
                    self.assertEqual(kept, [])
                else:
                    self.assertEqual(list(result.origin[span[0] : span[1]]), kept)
            if result.text:
                self.assertEqual(result.span(0, len(text)), (0, len(result.text)))


def trained(folder: str, terms: dict[str, list[str]]) -> Normaliser:
    """A normaliser that has learned lookup tables, loaded again from its storage."""
    storage = LocalModelStorage.create(Path(folder))
    resource = Resource("normaliser")
    context = mock.Mock()
    tables = [{"name": name, "elements": words} for name, words in terms.items()]
    Normaliser.create({}, storage, resource, context).train(TrainingData(lookup_tables=tables))
    return Normaliser.load({}, storage, resource, context)


class NormaliserTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.component = trained(folder.name, {"service_item": ["社保卡", "身份证"]})

    def test_a_misheard_term_is_repaired_and_its_span_stays(self) -> None:
        entity = {"start": 3, "end": 6, "value": "设保卡", "entity": "service_item"}
        message = Message(data={TEXT: "我要补设保卡", ENTITIES: [entity]})
        self.component.process([message])
        self.assertEqual(message.get(TEXT), "我要补社保卡")
        self.assertEqual(message.get(ENTITIES)[0]["value"], "社保卡")

    def test_payloads_stay_as_they_are(self) -> None:
        message = Message(data={TEXT: '/choose_service{"service_id": "passport"}'})
        self.component.process([message])
        self.assertEqual(message.get(TEXT), '/choose_service{"service_id": "passport"}')

    def test_a_span_follows_its_words(self) -> None:
        entity = {"start": 2, "end": 6, "value": "身份證１", "entity": "service_item"}
        message = Message(data={TEXT: "嗯，身份證１丢了", ENTITIES: [entity]})
        self.component.process([message])
        self.assertEqual(message.get(TEXT), "身份证1丢了")
        (found,) = message.get(ENTITIES)
        self.assertEqual((found["start"], found["end"], found["value"]), (0, 4, "身份证1"))

    def test_a_synonym_keeps_its_value(self) -> None:
        entity = {"start": 0, "end": 3, "value": "居民身份证补领", "entity": "service_item"}
        message = Message(data={TEXT: "補身份證", ENTITIES: [entity]})
        self.component.process([message])
        self.assertEqual(message.get(ENTITIES)[0]["value"], "居民身份证补领")

    def test_every_annotation_of_the_training_data_survives(self) -> None:
        seen = 0
        for path in sorted((ROOT / "nlu_data" / "intents").glob("*.yml")):
            for message in load_data(str(path)).intent_examples:
                before = [
                    message.get(TEXT)[e["start"] : e["end"]] for e in message.get(ENTITIES, [])
                ]
                self.component.process([message])
                after = message.get(ENTITIES, [])
                with self.subTest(text=message.get(TEXT)):
                    self.assertEqual(len(after), len(before))
                    for surface, entity in zip(before, after):
                        kept = message.get(TEXT)[entity["start"] : entity["end"]]
                        self.assertEqual(len(kept), len(normalise(surface).text))
                        seen += 1
        self.assertGreater(seen, 3000)


if __name__ == "__main__":
    unittest.main()
