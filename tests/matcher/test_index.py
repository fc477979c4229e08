"""The meaning index and the vectors it keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from base.encoder import get_encoder
from matcher.index import EmbeddingCache, Passage, SemanticIndex
from tests.matcher.counting import Counting

PASSAGES = (
    Passage("id", "身份证丢了怎么补办"),
    Passage("id", "居民身份证补领"),
    Passage("fund", "公积金怎么取出来"),
    Passage("wed", "领结婚证要带什么"),
)


def test_each_document_is_answered_once_by_its_best_passage() -> None:
    index = SemanticIndex(get_encoder(), PASSAGES)
    hits = index.search("我的身份证不见了", limit=3)
    assert hits[0].document == "id"
    assert len({hit.document for hit in hits}) == len(hits) == 3
    assert hits[0].score >= hits[1].score >= hits[2].score
    assert len(index.search("公积金", limit=1)) == 1


def test_cosines_follow_the_passages() -> None:
    encoder = get_encoder()
    index = SemanticIndex(encoder, PASSAGES)
    expected = index.vectors @ encoder.queries(["结婚登记"])[0]
    np.testing.assert_allclose(index.cosines("结婚登记"), expected, atol=1e-5)


def test_an_empty_index_finds_nothing() -> None:
    index = SemanticIndex(get_encoder(), ())
    assert index.search("身份证") == ()
    assert index.cosines("身份证").shape == (0,)


def test_vectors_are_encoded_once_and_only_when_new(tmp_path: Path) -> None:
    encoder = Counting()
    cache = EmbeddingCache.named(encoder, tmp_path, "services")
    first = cache.vectors(["甲", "乙"])
    assert encoder.encoded == ["甲", "乙"]
    again = EmbeddingCache.named(encoder, tmp_path, "services").vectors(["乙", "丙", "乙"])
    assert encoder.encoded == ["甲", "乙", "丙"]
    np.testing.assert_array_equal(again[0], first[1])
    np.testing.assert_array_equal(again[0], again[2])
    (stored,) = (tmp_path / "embeddings").glob("*")
    with np.load(stored) as content:
        assert len(content["keys"]) == 2  # 甲 is no longer used


@pytest.mark.parametrize("damage", [b"", b"not a zip file", b"PK\x03\x04 broken"])
def test_a_damaged_file_is_rebuilt(tmp_path: Path, damage: bytes) -> None:
    cache = EmbeddingCache(get_encoder(), tmp_path / "vectors.npz")
    expected = cache.vectors(["甲", "乙"])
    (tmp_path / "vectors.npz").write_bytes(damage)
    np.testing.assert_array_equal(cache.vectors(["甲", "乙"]), expected)


def test_a_file_of_another_shape_is_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    np.savez(path, keys=np.array(["x"]), vectors=np.zeros((1, 3), dtype=np.float32))
    assert EmbeddingCache(get_encoder(), path).vectors(["甲"]).shape == (1, 384)
    assert EmbeddingCache(get_encoder(), path).vectors([]).shape == (0, 384)
