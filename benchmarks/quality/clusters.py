"""Measures the groups of unanswered questions beside k-means, single linkage and HDBSCAN.

    python -m benchmarks.quality.clusters [--vectors FOLDER]

A question's matter is its label; questions without a matter are left out. The cut of the
product is the one with the best adjusted Rand index on ``benchmarks/matcher/dev_questions.yml``
among ``CUTS``; the same cut is then measured on ``nlu_data/heldout/services.yml``, which chose
nothing. Single linkage gets its best cut on the development questions too, and k-means is told
the true number of matters. HDBSCAN's noise counts as questions that stand alone. ``--vectors``
keeps the questions' vectors between runs (``dev.npy``, ``held.npy``): encoding takes minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score, v_measure_score

from base.encoder import Vectors, get_encoder
from base.settings import get_settings
from benchmarks.matcher.evaluate import DEV, HELDOUT, matters, questions
from enquiries.unanswered import NEAR, centred, labels
from matcher.finder import ServiceFinder

CUTS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)

Groups = npt.NDArray[np.int64]


def load(path: Path, name: str, kept: Path | None) -> tuple[Vectors, list[str]]:
    """Return the vectors of the questions that have a matter, and the matter of each."""
    asked = questions(path)
    file = kept / f"{name}.npy" if kept else None
    if file is not None and file.exists():
        vectors = np.load(file)
    else:
        vectors = get_encoder().queries([question.text for question in asked])
        if file is not None:
            np.save(file, vectors)
    rows = [row for row, question in enumerate(asked) if question.right]
    return vectors[rows], [min(asked[row].right) for row in rows]


def single(vectors: Vectors, cut: float) -> Groups:
    """Single linkage."""
    model = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="single", distance_threshold=cut
    )
    return np.asarray(model.fit_predict(vectors))


def hdbscan(vectors: Vectors) -> Groups:
    """HDBSCAN; each question it calls noise is a group of its own."""
    found = HDBSCAN(min_cluster_size=2, copy=True).fit_predict(vectors)
    return np.where(found < 0, np.arange(len(found)) + len(found), found)


def best_cut(way: Callable[[Vectors, float], Groups], vectors: Vectors, right: list[str]) -> float:
    """Return the cut with the best adjusted Rand index."""
    return max(CUTS, key=lambda cut: adjusted_rand_score(right, way(vectors, cut)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path)
    kept = parser.parse_args().vectors
    settings = get_settings()
    index = ServiceFinder(
        matters(), get_encoder(settings.embedding_model), settings.model_dir
    ).index
    centre = np.asarray(index.vectors, dtype=np.float32).mean(axis=0)
    sets = {name: load(path, name, kept) for name, path in (("dev", DEV), ("held", HELDOUT))}
    dev = centred(sets["dev"][0], centre)
    cut, single_cut = (best_cut(way, dev, sets["dev"][1]) for way in (labels, single))
    print(f"best cut: average {cut} (the product's: {NEAR}), single {single_cut}")
    print("| questions | way | groups | V-measure | adjusted Rand |\n|---|---|---|---|---|")
    for name, (raw, right) in sets.items():
        vectors, true = centred(raw, centre), len(set(right))
        ways = {
            "average linkage, centred (product)": labels(vectors, NEAR),
            "average linkage, not centred, 0.09": labels(raw, 0.09),
            f"single linkage, {single_cut}": single(vectors, single_cut),
            "HDBSCAN": hdbscan(vectors),
            f"k-means, told {true}": KMeans(true, n_init=1, random_state=0).fit_predict(vectors),
        }
        for way, found in ways.items():
            score = v_measure_score(right, found), adjusted_rand_score(right, found)
            print(f"| {name} | {way} | {len(set(found))} | {score[0]:.3f} | {score[1]:.3f} |")


if __name__ == "__main__":
    main()
