"""The index of vectors: exact when small, a graph when large, changed without being rebuilt."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.encoder import Vectors
from base.errors import ConfigurationError
from matcher import vectors as module
from matcher.vectors import VectorIndex

DIMENSION = 16
MADE_OF = "engine, texts"


def unit(count: int, seed: int, dimension: int = DIMENSION) -> Vectors:
    """Vectors in a narrow cone, as those of sentences are."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, dimension)) + 2
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def filled(documents: int, each: int, flat_limit: int, seed: int = 1) -> VectorIndex:
    rows = unit(documents * each, seed)
    put = {f"d{n}": rows[n * each : (n + 1) * each] for n in range(documents)}
    return VectorIndex.empty(DIMENSION, flat_limit).changed(put)


def owners(index: VectorIndex) -> dict[int, str]:
    return {int(number): name for name, ids in index.documents.items() for number in ids}


def exact(index: VectorIndex, question: Vectors, limit: int) -> list[int]:
    ids = np.sort(np.concatenate([*index.documents.values(), np.empty(0, dtype=np.int64)]))
    cosines = index.vectors(ids) @ question
    return [int(ids[row]) for row in np.lexsort((ids, -cosines))[:limit]]


def test_an_empty_index_finds_nothing() -> None:
    index = VectorIndex.empty(DIMENSION)
    assert len(index) == 0
    assert index.exact
    assert index.search(unit(1, 1)[0], 3).ids.tolist() == []


def test_a_small_index_is_exact_and_a_large_one_is_a_graph() -> None:
    assert filled(100, 2, flat_limit=200).exact
    assert not filled(101, 2, flat_limit=200).exact


@pytest.mark.parametrize("flat_limit", [10_000, 500])
def test_the_nearest_are_found(flat_limit: int) -> None:
    index = filled(1000, 3, flat_limit)
    assert len(index) == 3000
    shares = []
    for question in unit(50, 7):
        found = index.search(question, 10)
        np.testing.assert_allclose(found.cosines, index.vectors(found.ids) @ question, atol=1e-5)
        assert (np.diff(found.cosines) <= 1e-6).all()
        shares.append(len({*found.ids.tolist()} & {*exact(index, question, 10)}) / 10)
    assert np.mean(shares) == 1.0 if index.exact else np.mean(shares) >= 0.99


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 11), st.integers(0, 9)),
        max_size=25,
    ),
    st.sampled_from([0, 20, 1000]),
)
def test_any_changes_leave_what_a_fresh_index_would_hold(
    changes: list[tuple[str, int, int]], flat_limit: int
) -> None:
    index = VectorIndex.empty(DIMENSION, flat_limit)
    held: dict[str, Vectors] = {}
    for seed, (what, number, count) in enumerate(changes):
        name = f"d{number}"
        if what == "put":
            held[name] = unit(count, 100 + seed)
            index = index.changed({name: held[name]})
        elif name in held:
            del held[name]
            index = index.remove(name)
    assert len(index) == sum(map(len, held.values()))
    assert index.exact == (len(index) <= flat_limit)
    assert set(index.documents) == set(held)
    for name, rows in held.items():
        np.testing.assert_array_equal(index.vectors(index.documents[name]), rows)
    question = unit(1, 5)[0]
    found = index.search(question, 5)
    owner = owners(index)
    assert all(int(number) in owner for number in found.ids)  # nothing that was taken out
    fresh = VectorIndex.empty(DIMENSION).changed(held).search(question, 5)
    np.testing.assert_allclose(found.cosines, fresh.cosines, atol=1e-5)


def test_a_graph_is_shared_by_changes_until_they_are_many() -> None:
    index = filled(1000, 2, flat_limit=500)
    other = index.add("new", unit(3, 50)).remove("d1").replace("d2", unit(1, 51))
    assert other._graph is index._graph
    assert "d1" in index.documents
    assert "new" not in index.documents
    question = unit(3, 50)[0]
    assert owners(other)[int(other.search(question, 1).ids[0])] == "new"
    assert other.search(question, 1).cosines[0] == pytest.approx(1.0, abs=1e-5)
    removed = index.vectors(index.documents["d1"])[0]
    assert owners(index)[int(index.search(removed, 1).ids[0])] == "d1"
    assert "d1" not in {owners(other)[int(n)] for n in other.search(removed, 20).ids}


def test_many_new_vectors_join_a_copy_of_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_TAIL", 10)
    index = filled(1000, 2, flat_limit=500)
    rows = unit(150, 60)
    other = index.add("new", rows)
    assert other._graph is not index._graph
    assert (index._graph.ntotal, other._graph.ntotal) == (2000, 2150)
    assert len(other._tail) == 0
    assert owners(other)[int(other.search(rows[9], 1).ids[0])] == "new"
    assert len(index.search(rows[9], 5).ids) == 5


def test_the_graph_is_built_anew_when_much_was_taken_out() -> None:
    index = filled(1000, 2, flat_limit=500)
    kept = index.changed({}, [f"d{n}" for n in range(150)])
    assert kept._graph is index._graph
    rebuilt = index.changed({}, [f"d{n}" for n in range(250)])
    assert rebuilt._graph.ntotal == len(rebuilt) == 1500
    assert index.changed({}, [f"d{n}" for n in range(800)]).exact
    np.testing.assert_array_equal(
        rebuilt.vectors(rebuilt.documents["d900"]), index.vectors(index.documents["d900"])
    )


@pytest.mark.parametrize("every", [2, 20])
def test_a_choice_is_kept_to(every: int) -> None:
    """Half of the vectors are chosen while walking the graph, a few are compared one by one."""
    index = filled(1000, 2, flat_limit=500)
    among = np.concatenate([index.documents[f"d{n}"] for n in range(0, 1000, every)])
    shares = []
    for question in unit(20, 9):
        found = index.search(question, 10, among)
        assert set(found.ids.tolist()) <= set(among.tolist())
        order = np.argsort(-(index.vectors(among) @ question))[:10]
        shares.append(len({*found.ids.tolist()} & {*among[order].tolist()}) / 10)
    assert np.mean(shares) >= (0.98 if every == 2 else 1.0)
    assert index.search(unit(1, 9)[0], 10, among[:0]).ids.tolist() == []


def test_faults_of_the_caller_are_named() -> None:
    index = filled(3, 2, flat_limit=10)
    with pytest.raises(KeyError, match="'x' is not in the index"):
        index.remove("x")
    with pytest.raises(KeyError, match="'x' is not in the index"):
        index.replace("x", unit(1, 1))
    with pytest.raises(ValueError, match="'d1' is in the index already"):
        index.add("d1", unit(1, 1))
    with pytest.raises(ValueError, match=r"\(1, 8\), not \(count, 16\)"):
        index.add("x", unit(1, 1, dimension=8))
    for wrong in (np.nan, 0.5):
        with pytest.raises(ValueError, match="not of length 1"):
            index.add("x", unit(1, 1) * np.float32(wrong))
    with pytest.raises(KeyError, match="with this number"):
        index.vectors(np.array([99]))
    assert len(index) == 6


@pytest.mark.parametrize("flat_limit", [10_000, 100])
def test_what_is_saved_is_read_back(tmp_path: Path, flat_limit: int) -> None:
    index = filled(100, 2, flat_limit).add("new", unit(1, 50)).remove("d7")
    index.save(tmp_path / "index", MADE_OF)
    again = VectorIndex.load(tmp_path / "index", MADE_OF, flat_limit)
    assert again.exact == index.exact
    assert set(again.documents) == set(index.documents)
    for question in unit(10, 9):
        one, two = index.search(question, 5), again.search(question, 5)
        assert one.ids.tolist() == two.ids.tolist()
        np.testing.assert_allclose(one.cosines, two.cosines, atol=1e-6)
    later = again.add("later", unit(1, 70))
    assert len(later) == len(index) + 1
    later.save(tmp_path / "index", MADE_OF)
    files = sorted(path.name.split("-")[0] for path in (tmp_path / "index").iterdir())
    assert files == sorted(["manifest.json", "vectors"] + ([] if again.exact else ["graph"]))


@pytest.mark.parametrize("name", ["manifest.json", "vectors-*.npz", "graph-*.faiss"])
@pytest.mark.parametrize("harm", ["cut", "flip", "missing"])
def test_a_damaged_index_is_refused(tmp_path: Path, name: str, harm: str) -> None:
    filled(100, 2, flat_limit=100).save(tmp_path, MADE_OF)
    (path,) = tmp_path.glob(name)
    content = bytearray(path.read_bytes())
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        VectorIndex.load(tmp_path, MADE_OF, 100)


def test_an_index_of_something_else_is_refused(tmp_path: Path) -> None:
    filled(3, 2, flat_limit=100).save(tmp_path, MADE_OF)
    with pytest.raises(ConfigurationError, match="made of 'engine, texts', not 'other'"):
        VectorIndex.load(tmp_path, "other")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ConfigurationError, match="format 1"):
        VectorIndex.load(tmp_path, MADE_OF)
    manifest["content"]["documents"][0][1] += 1
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigurationError, match="checksum"):
        VectorIndex.load(tmp_path, MADE_OF)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        VectorIndex.load(tmp_path / "nothing", MADE_OF)


def test_searches_and_changes_do_not_disturb_each_other() -> None:
    """Every search sees one state: what one thread takes out another still finds, or not at all."""
    index = filled(600, 2, flat_limit=500)
    questions = unit(20, 11)
    expected = [index.search(question, 10).ids.tolist() for question in questions]
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            for question, ids in zip(questions, expected, strict=True):
                if index.search(question, 10).ids.tolist() != ids:
                    wrong.append(question)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    other = index
    for number in range(60):
        other = other.replace(f"d{number}", unit(2, 200 + number))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(other) == len(index)
