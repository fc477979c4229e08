"""The vectors that indexes are measured on: real ones as far as they go, then realistic ones.

Real are the sentences of the city's policies and service items (what is searched, and every
sentence of their documents) and the example utterances of ``nlu_data/intents``, encoded as
the product does. Questions are the graded ones of ``benchmarks/policies/golden``.

Beyond the real ones a vector is made by moving a real sentence the way real sentences differ
from their neighbours: ``normalise(m + t * (a - m) + s * (c - d))``, where ``m`` is the mean of
the real vectors, ``a`` is any of them, ``d`` is another, ``c`` is one of the ten nearest
neighbours of ``d``, ``s`` is uniform in 0.2 to 0.7, and ``t`` takes from ``a - m`` as much
length as ``s * (c - d)`` adds, so that sentences stay as far apart as they are. The differences
of real neighbours keep the directions in which paraphrases and sister documents vary, which
white noise would not; :func:`spread` says how well it holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from base.encoder import Encoder, Vectors
from base.settings import ROOT, VAR, get_settings
from benchmarks.policies.queries import queries
from matcher.index import EmbeddingCache
from matcher.lexical import normalise
from matcher.policy import load_policies
from matcher.profile import KINDS
from matcher.service import load_services

FOLDER = VAR / "benchmarks" / "vectors"
NEIGHBOURS = 10
LEAST, MOST = 0.2, 0.7
CHUNK = 50_000
SHORTEST = 4

_SENTENCE = re.compile(r"[。！？；\n]+")
_MARKUP = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")


def real_texts() -> list[str]:
    """Return every distinct real text, the passages that are searched first."""
    directory = get_settings().policies_dir
    policies, services = load_policies(directory), load_services(directory / "services")
    searched = [
        text
        for policy in policies
        for text in (policy.title, policy.theme, *policy.queries, policy.summary)
    ]
    searched += [
        text
        for item in services
        for text in (item.name, *item.aliases, *item.questions, item.summary)
    ]
    rest = [
        part
        for item in (*policies, *services)
        for text in _strings(item.model_dump(mode="json"))
        for part in _SENTENCE.split(text)
    ]
    rest += _utterances()
    folded = dict.fromkeys(normalise(text) for text in (*searched, *rest))
    return [text for text in folded if len(text) >= SHORTEST and not text.isascii()]


def _strings(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value)


def _utterances() -> Iterator[str]:
    for path in sorted((ROOT / "nlu_data" / "intents").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in str(block.get("examples", "")).splitlines():
                yield _MARKUP.sub(r"\1", line.removeprefix("- ").strip())


def encoded(encoder: Encoder, name: str, texts: list[str]) -> Vectors:
    """Return the vectors of ``texts``, kept in ``var`` between runs."""
    return EmbeddingCache.named(encoder, FOLDER, name).vectors(texts)


def questions(encoder: Encoder) -> Vectors:
    """Return the vectors of the graded questions."""
    texts = [normalise(row["text"]) for kind in KINDS for row in queries(kind)]
    return encoded(encoder, "questions", list(dict.fromkeys(texts)))


def neighbours(vectors: Vectors) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the positions of each vector's nearest others: ``(len(vectors), NEIGHBOURS)``."""
    found = np.empty((len(vectors), NEIGHBOURS), dtype=np.intp)
    for start in range(0, len(vectors), 1000):
        cosines = vectors[start : start + 1000] @ vectors.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -np.inf
        found[start : start + 1000] = np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return found


def stretched(real: Vectors, size: int) -> Path:
    """Return a ``.npy`` file of ``size`` unit vectors that begins with the real ones.

    The same real vectors and size give the same file; it is made once.
    """
    key = hashlib.sha256(real.tobytes()).hexdigest()[:12]
    path = FOLDER / f"{size}-{key}.npy"
    if path.exists():
        return path
    random = np.random.default_rng(size)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    target = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        partial, mode="w+", dtype=np.float32, shape=(size, real.shape[1])
    )
    if size <= len(real):
        target[:] = real[np.sort(random.choice(len(real), size, replace=False))]
    else:
        target[: len(real)] = real
        near, mean = neighbours(real), real.mean(axis=0)
    for start in range(len(real), size, CHUNK):
        count = min(CHUNK, size - start)
        base, other = random.integers(len(real), size=(2, count))
        toward = near[other, random.integers(NEIGHBOURS, size=count)]
        scale = random.uniform(LEAST, MOST, size=(count, 1)).astype(np.float32)
        step = scale * (real[toward] - real[other])
        away = real[base] - mean
        lost = (step**2).sum(axis=1) / (away**2).sum(axis=1)
        moved = mean + np.sqrt(np.maximum(1 - lost, LEAST))[:, None] * away + step
        target[start : start + count] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    target.flush()
    partial.replace(path)
    return path


def spread(vectors: Vectors, asked: Vectors) -> dict[str, list[float]]:
    """Return quantiles (5, 25, 50, 75, 95 %) of cosines that make a set easy or hard to search.

    ``any two``: of two vectors drawn at random; ``nearest``: of a vector and its nearest other;
    ``question, 1st`` and ``question, 10th``: of a question and its nearest and tenth.
    """
    random = np.random.default_rng(3)
    size = len(vectors)
    one, two = random.integers(size, size=(2, 20_000))
    drawn = np.sort(random.choice(size, min(500, size), replace=False))
    nearest = np.full(len(drawn), -1.0, dtype=np.float32)
    best = np.full((len(asked), NEIGHBOURS), -1.0, dtype=np.float32)
    for start in range(0, size, CHUNK):
        block = np.asarray(vectors[start : start + CHUNK])
        cosines = vectors[drawn] @ block.T
        inside = (drawn >= start) & (drawn < start + len(block))
        cosines[np.flatnonzero(inside), drawn[inside] - start] = -1
        nearest = np.maximum(nearest, cosines.max(axis=1))
        both = np.concatenate([best, asked @ block.T], axis=1)
        best = -np.partition(-both, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    best = -np.sort(-best, axis=1)
    of = {
        "any two": np.einsum("nd,nd->n", vectors[one[one != two]], vectors[two[one != two]]),
        "nearest": nearest,
        "question, 1st": best[:, 0],
        "question, 10th": best[:, -1],
    }
    return {
        name: [round(float(q), 3) for q in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])]
        for name, values in of.items()
    }
