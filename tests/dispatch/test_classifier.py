from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.metrics import f1_score

from base.encoder import Vectors, get_encoder
from base.errors import ConfigurationError
from base.settings import ROOT, Settings, get_settings
from dispatch.classification.categories import load_categories
from dispatch.classification.category_model import CategoryModel, ngrams
from dispatch.classification.classifier import NONE, CategoryClassifier, Proposal, load_examples

HELDOUT = ROOT / "nlu_data" / "heldout" / "categories.yml"


@pytest.fixture(scope="module")
def classifier() -> CategoryClassifier:
    return CategoryClassifier.load(get_settings())


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """A city with two categories, twelve sentences each."""
    source = get_settings().categories_file
    rows = yaml.safe_load(source.read_text(encoding="utf-8"))["categories"]
    kept = [row for row in rows if row["code"] in ("noise.construction", "waste.garbage")]
    spoken = yaml.safe_load(source.with_name("category_examples.yml").read_text(encoding="utf-8"))
    words = yaml.safe_load(source.with_name("category_words.yml").read_text(encoding="utf-8"))
    codes = [row["code"] for row in kept]
    for row in kept:
        row.pop("confused_with", None)  # others that are left out here
    write(tmp_path / "categories.yml", {"categories": kept})
    write(
        tmp_path / "category_examples.yml",
        {code: spoken[code][:12] for code in [*codes, NONE]},
    )
    write(tmp_path / "category_words.yml", {code: words[code] for code in codes})
    return Settings(categories_file=tmp_path / "categories.yml", model_dir=tmp_path / "models")


def write(path: Path, document: object) -> None:
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")


def edit(path: Path, **changes: Any) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    write(path, {key: value for key, value in document.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("楼下餐馆油烟太大了", "air.cooking_fume"),
        ("工地凌晨两点还在浇混凝土，轰隆隆的", "noise.construction"),
        ("门前小河又黑又臭", "water.black_odor"),
        ("马路上的井盖丢了", "city.other"),
        ("化工长半夜冒黑烟", "air.industrial"),
        ("楼顶新装了个基站，怕有辐射", "radiation"),
    ],
)
def test_clear_complaints_are_proposed(
    classifier: CategoryClassifier, text: str, code: str
) -> None:
    proposal = classifier.propose(text)
    assert proposal.code == code
    assert proposal.confident
    assert proposal.ranked[0] == (code, proposal.confidence)


@pytest.mark.parametrize(
    "text", ["我要投诉", "你好", "身份证丢了怎么补办", "文昌路18号", "谢谢啊", "", "？", "…"]
)
def test_talk_without_a_problem_has_no_category(classifier: CategoryClassifier, text: str) -> None:
    assert classifier.propose(text).code is None


def test_a_proposal_copies_no_weights(classifier: CategoryClassifier) -> None:
    """A copy a product was 5 MB that every thread of the gateway kept."""
    classifier.propose("路灯坏了半个月没人修")
    tracemalloc.start()
    try:
        classifier.propose_all(["工地半夜还在打桩，吵得睡不着"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < classifier.model.weights.nbytes / 2


def test_ranked_lists_categories_best_first(classifier: CategoryClassifier) -> None:
    categories = load_categories(get_settings().categories_file)
    ranked = classifier.propose("很吵").ranked
    assert len(ranked) == 5
    assert all(code in categories for code, _ in ranked)
    assert [chance for _, chance in ranked] == sorted((c for _, c in ranked), reverse=True)


def test_cross_validation_meets_the_promise(classifier: CategoryClassifier) -> None:
    figures = classifier.model.validation
    assert figures["macro_f1"] >= 0.83  # the written sentences hold the hardest wordings
    assert figures["confident_precision"] >= 0.95
    assert figures["confident_share"] >= 0.6


def test_held_out_descriptions_are_understood(classifier: CategoryClassifier) -> None:
    rows = yaml.safe_load(HELDOUT.read_text(encoding="utf-8"))["examples"]
    assert len(rows) >= 600
    truth = [row["category"] or NONE for row in rows]
    proposals = classifier.propose_all([row["text"] for row in rows])
    guess = [proposal.code or NONE for proposal in proposals]
    assert f1_score(truth, guess, average="macro") >= 0.90
    confident = [g == t for p, g, t in zip(proposals, guess, truth, strict=True) if p.confident]
    assert sum(confident) / len(confident) >= 0.95


def test_probabilities_are_probabilities(classifier: CategoryClassifier) -> None:
    proposals = classifier.propose_all(["楼下太吵", "你好", "x" * 2000, "🎉🎉a"])
    assert all(0 < proposal.confidence <= 1 for proposal in proposals)


def test_the_sample_city_is_described_richly() -> None:
    source = get_settings().categories_file
    examples = load_examples(
        source.with_name("category_examples.yml"),
        source.with_name("category_words.yml"),
        load_categories(source),
    )
    spoken = [example for example in examples if not example.composed]
    texts = [example.text for example in examples]
    assert len(texts) == len(set(texts))
    for code in load_categories(source).codes:
        assert sum(example.label == code for example in spoken) >= 60
    assert sum(example.label == NONE for example in spoken) >= 120


def test_training_is_cached_by_content(small: Settings) -> None:
    first = CategoryClassifier.load(small)
    (stored,) = small.model_dir.iterdir()
    stamp = stored.stat().st_mtime_ns
    again = CategoryClassifier.load(small)
    assert stored.stat().st_mtime_ns == stamp
    text = "工地打桩吵死了"
    expected, got = first.propose(text), again.propose(text)
    assert got.code == expected.code == "noise.construction"
    assert got.confidence == pytest.approx(expected.confidence, abs=1e-3)

    edit(
        small.categories_file.with_name("category_words.yml"),
        **{"waste.garbage": {"causes": ["垃圾"], "phrases": ["太多", "没人收"]}},
    )
    CategoryClassifier.load(small)
    assert len(list(small.model_dir.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 torn"])
def test_a_damaged_cache_is_trained_again(small: Settings, content: bytes) -> None:
    CategoryClassifier.load(small)
    (stored,) = small.model_dir.iterdir()
    stored.write_bytes(content)
    assert CategoryModel.read(stored) is None
    assert isinstance(CategoryClassifier.load(small).propose("垃圾没人收"), Proposal)
    assert CategoryModel.read(stored) is not None


def test_a_stored_model_never_unpickles(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, labels=np.array([{"a": 1}], dtype=object))
    assert CategoryModel.read(path) is None


def test_training_data_must_fit_the_categories(small: Settings) -> None:
    examples = small.categories_file.with_name("category_examples.yml")
    for changes, named in (
        ({"waste.garbage": None}, r"category_examples\.yml: waste\.garbage: has no examples"),
        ({"waste.garbage": ["垃圾"]}, r"category_examples\.yml: waste\.garbage: items"),
        ({"air.magic": ["烟"] * 20}, r"category_examples\.yml: air\.magic: is not a category"),
    ):
        before = examples.read_text(encoding="utf-8")
        edit(examples, **changes)
        with pytest.raises(ConfigurationError, match=named):
            CategoryClassifier.load(small)
        examples.write_text(before, encoding="utf-8")


def test_word_lists_must_fit_the_categories(small: Settings) -> None:
    words = small.categories_file.with_name("category_words.yml")
    edit(words, **{"air.magic": {"causes": ["烟"], "phrases": ["大", "多"]}})
    with pytest.raises(ConfigurationError, match=r"category_words\.yml: air\.magic"):
        CategoryClassifier.load(small)


def test_ngrams_hear_what_they_cannot_read() -> None:
    heard, meant = set(ngrams("化工长")), set(ngrams("化工厂"))
    assert "/gong chang" in ngrams("公厂")
    assert {"化", "化工", "/gong"} <= heard & meant
    assert ngrams("  ！？ ") == []


def test_the_same_words_are_read_once(classifier: CategoryClassifier) -> None:
    class Counting:
        name = "counting"
        dimension = get_encoder().dimension

        def __init__(self) -> None:
            self.read: list[str] = []

        def queries(self, texts: list[str]) -> Vectors:
            self.read += texts
            return get_encoder().queries(texts)

        passages = queries

    encoder = Counting()
    own = CategoryClassifier(classifier.model, encoder)
    words = "楼下餐馆油烟太大了"
    assert own.propose(words) == own.propose(words) == classifier.propose(words)
    assert encoder.read == [words]
