"""Questions that found no answer, grouped by meaning, with what an editor may do about each group.

Sentence vectors of short questions all point much the same way; what they share says nothing
of the matter. So the mean vector of the catalogue's own passages is taken off before they are
compared (Mu and Viswanath, All-but-the-Top, ICLR 2018, without the principal components).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.cluster import AgglomerativeClustering

from base.encoder import Encoder, Vectors
from matcher.elsewhere import Elsewhere
from matcher.finder import ServiceFinder
from matcher.lexical import normalise
from store.answer_quality import Unanswered
from store.settled_groups import Settled

__all__ = ["NEAR", "Cluster", "centred", "group", "labels", "nearest_documents"]

NEAR = 0.65
"""Mean cosine distance of centred vectors within a group (benchmarks/quality/clusters.py)."""

_ALREADY = 0.5
"""Share of a group from which what the citizens or the finder said of it is believed."""
_CLOSE = 0.55
"""Centred cosine with a passage from which a group is taken for that matter: 59 % of the
development questions with a matter reach it, and 18 % of those without."""
_NEAREST = 3
_EXAMPLES = 5


@dataclass(frozen=True)
class Cluster:
    """Questions that mean about the same.

    Args:
        title: the medoid, the question nearest to all others.
        size: how many times it was asked.
        kinds: why they count as unanswered, with how often.
        examples: different wordings, the nearest to the title first.
        nearest: catalogue matters ``(id, name, cosine)``, best first.
        suggestion: what an editor may do, in Chinese.
        questions: their ids, the title's first: what an editor marks as dealt with.
        again: the nearest group that an editor has dealt with, when this one would belong to
            it: what he did was not enough, or these were asked before he did it.
    """

    title: str
    size: int
    kinds: dict[str, int]
    examples: tuple[str, ...]
    nearest: tuple[tuple[str, str, float], ...]
    suggestion: str
    questions: tuple[int, ...]
    again: Settled | None = None


def centred(vectors: Vectors, centre: npt.NDArray[np.float32]) -> Vectors:
    """Return unit rows of ``vectors`` (n, d) seen from ``centre`` (d,)."""
    moved = vectors - centre
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-9), dtype=np.float32)


def labels(vectors: Vectors, near: float = NEAR) -> npt.NDArray[np.int64]:
    """Return the group of each row (average linkage, cut at ``near``); equal rows stay together.

    Groups depend on the order of rows only where distances are exactly equal; callers that
    sort their rows get the same groups for the same questions.
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    model = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=near
    )
    return np.asarray(model.fit_predict(vectors), dtype=np.int64)


def nearest_documents(
    vectors: Vectors, finder: ServiceFinder, centre: npt.NDArray[np.float32]
) -> list[tuple[str, str, float]]:
    """Return the matters nearest to the mean of centred rows: ``(id, name, cosine)``."""
    mean = vectors.mean(axis=0)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
    index = finder.index
    best: dict[str, float] = {}
    cosines = centred(np.asarray(index.vectors, dtype=np.float32), centre) @ mean
    for passage, cosine in zip(index.passages, cosines, strict=True):
        best[passage.document] = max(best.get(passage.document, -1.0), float(cosine))
    names = sorted(best, key=lambda name: (-best[name], name))[:_NEAREST]
    return [(name, finder.items[name].name, round(best[name], 3)) for name in names]


def group(
    questions: Sequence[Unanswered],
    finder: ServiceFinder,
    encoder: Encoder,
    settled: Sequence[Settled] = (),
) -> list[Cluster]:
    """Group questions by meaning, the most asked first; their order does not matter.

    A group is said to have come again when average linkage would put it and one of the
    ``settled`` groups together (the mean distance of their wordings is below :data:`NEAR`).
    """
    asked = _by_wording(questions)
    texts = sorted(asked)
    if not texts:
        return []
    centre = np.asarray(finder.index.vectors, dtype=np.float32).mean(axis=0)
    vectors = centred(encoder.queries(texts), centre)
    done = _means(settled, encoder, centre)
    rows: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(labels(vectors)):
        rows[int(label)].append(row)
    clusters = [
        replace(
            _cluster([texts[row] for row in members], vectors[members], asked, finder, centre),
            again=_nearest_settled(vectors[members].mean(axis=0), done),
        )
        for members in rows.values()
    ]
    return sorted(clusters, key=lambda cluster: (-cluster.size, cluster.title))


def _by_wording(questions: Sequence[Unanswered]) -> dict[str, list[Unanswered]]:
    asked: dict[str, list[Unanswered]] = defaultdict(list)
    for question in questions:
        if text := normalise(question.words).strip():
            asked[text].append(question)
    return asked


def _means(
    settled: Sequence[Settled], encoder: Encoder, centre: npt.NDArray[np.float32]
) -> list[tuple[Settled, npt.NDArray[np.float32]]]:
    """Return the mean of the centred wordings of each settled group that still has some.

    The mean distance between the rows of two groups is one less the product of their means.
    """
    worded = [(one, sorted(_by_wording(one.questions))) for one in settled]
    worded = [(one, texts) for one, texts in worded if texts]
    if not worded:
        return []
    vectors = centred(encoder.queries([text for _, texts in worded for text in texts]), centre)
    ends = np.cumsum([len(texts) for _, texts in worded])
    parts = np.split(vectors, ends[:-1])
    return [(one, part.mean(axis=0)) for (one, _), part in zip(worded, parts, strict=True)]


def _nearest_settled(
    mean: npt.NDArray[np.float32], done: Sequence[tuple[Settled, npt.NDArray[np.float32]]]
) -> Settled | None:
    distances = [(1.0 - float(mean @ other), -one.id, one) for one, other in done]
    distance, _, nearest = min(distances, default=(1.0, 0, None))
    return nearest if distance < NEAR else None


def _cluster(
    texts: Sequence[str],
    vectors: Vectors,
    asked: dict[str, list[Unanswered]],
    finder: ServiceFinder,
    centre: npt.NDArray[np.float32],
) -> Cluster:
    often = np.array([len(asked[text]) for text in texts])
    closeness = np.round((vectors @ vectors.T) @ often, 4)  # rounded: equal ones go by their text
    order = sorted(range(len(texts)), key=lambda row: (-closeness[row], texts[row]))
    members = [question for text in texts for question in asked[text]]
    worded = [min(question.words for question in asked[texts[row]]) for row in order]
    first = min(question.id for question in asked[texts[order[0]]])
    nearest = nearest_documents(vectors, finder, centre)
    return Cluster(
        title=worded[0],
        size=len(members),
        kinds=dict(sorted(Counter(question.kind for question in members).items())),
        examples=tuple(worded[:_EXAMPLES]),
        nearest=tuple(nearest),
        suggestion=_suggestion(worded[0], members, nearest, finder),
        questions=tuple(sorted((q.id for q in members), key=lambda name: (name != first, name))),
    )


def _suggestion(
    title: str,
    members: Sequence[Unanswered],
    nearest: Sequence[tuple[str, str, float]],
    finder: ServiceFinder,
) -> str:
    others: Counter[str] = Counter(
        name
        for question in members
        if question.kind == "elsewhere"
        for name, _ in question.candidates[:1]
    )
    if others and others.total() / len(members) >= _ALREADY:
        name = min(others, key=lambda found: (-others[found], found))
        known = finder.items.get(name)
        return f"已在 elsewhere.yml（{known.name if known else name}），核对答复够不够用"
    wrong = {
        name
        for question in members
        if question.kind in ("none_fits", "other_matter")
        for name, _ in question.candidates
    }
    for name, title_of, cosine in nearest:
        if cosine < _CLOSE:
            break
        if name in wrong:
            continue  # the citizens said that it is not this one
        if isinstance(finder.items[name], Elsewhere):
            return f"给 elsewhere.yml 的“{title_of}”补一条问法：{title}"
        return f"给“{title_of}”补一条别名或问法：{title}"
    return "目录里没有相近的事项：本市能办就新增事项，不归本市办就放进 elsewhere.yml"
