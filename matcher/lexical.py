"""Matching by spelling and by sound: n-grams of characters and of pinyin syllables.

Meaning search misses what is written alike but seldom seen (a nickname of a card) and what
speech recognition mishears (设保卡 for 社保卡). Both are caught by comparing n-grams, where
an n-gram weighs more the fewer passages use it, so that 怎么办理 counts for little.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pypinyin import lazy_pinyin
from scipy.sparse import csr_matrix, vstack

from base.characters import simplified

__all__ = [
    "Comparison",
    "NgramIndex",
    "bare",
    "characters",
    "normalise",
    "says_something",
    "syllables",
]

Floats = npt.NDArray[np.float32]
MAX_CHARS = 300
LONGEST = 3
MAX_POSTINGS = 200_000

_NOT_WORD = re.compile(r"[\W_]+")
_POLITE = re.compile(
    r"你好|您好|请问|谢谢|麻烦(?:你|您)?|问一下|问下|咨询一?下|打扰一?下|我想知道|想了解一?下|嗯+|呃+"
)
_CONFUSED = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^n(?=[aeiouv])"), "l"),
    (re.compile(r"([aei]n)g$"), r"\1"),
)
"""Sounds that much of the country says alike: zh/z ch/c sh/s, n/l, ang/an eng/en ing/in."""


def normalise(text: str) -> str:
    """Return ``text`` in simplified, half-width, lower-case characters, at most 300."""
    folded = unicodedata.normalize("NFKC", text[: 2 * MAX_CHARS]).lower()
    return simplified(folded)[:MAX_CHARS].strip()


def characters(text: str) -> list[str]:
    """Return the n-grams (1 to 3) of the characters of ``text``, without punctuation."""
    return list(_ngrams(list(bare(text))))


def syllables(text: str) -> list[str]:
    """Return the n-grams (2 to 3) of the pinyin syllables of ``text``, accents folded."""
    return list(_ngrams([_fold(syllable) for syllable in lazy_pinyin(bare(text))], shortest=2))


def says_something(text: str) -> bool:
    """Tell whether normalised ``text`` has a word that is not mere politeness."""
    return bool(_POLITE.sub("", _NOT_WORD.sub("", text)))


def bare(text: str) -> str:
    """Return normalised ``text`` without punctuation and polite words."""
    words = _NOT_WORD.sub("", text)
    return _POLITE.sub("", words) or words


def _fold(syllable: str) -> str:
    for pattern, replacement in _CONFUSED:
        syllable = pattern.sub(replacement, syllable)
    return syllable


def _ngrams(units: Sequence[str], shortest: int = 1) -> Iterator[str]:
    for length in range(shortest, LONGEST + 1):
        for start in range(len(units) - length + 1):
            yield " ".join(units[start : start + length])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text against every passage, by the n-grams they share.

    Args:
        held: ``(passages,)``, how much of the passage is in the text, 0 to 1.
        hits: ``(passages, k)``, 1 where the passage has one of the text's k known n-grams.
        weights: ``(k,)``, the share of each known n-gram in the whole weight of the text;
            less than 1 together when the text has n-grams that no passage has.
        cosines: ``(passages,)``, of the weighed known n-grams with those of each passage.
    """

    held: Floats
    hits: Floats
    weights: Floats
    cosines: Floats


class NgramIndex:
    """The n-grams of passages, each weighed by its rarity (inverse document frequency).

    An index never changes; :meth:`changed` makes another. The two share the numbering of
    n-grams, to which new ones are only ever added, so one change must follow the other.

    Args:
        passages: normalised texts.
        analyse: splits a text into n-grams.
    """

    def __init__(self, passages: Sequence[str], analyse: Callable[[str], list[str]]) -> None:
        self._analyse = analyse
        self._vocabulary: dict[str, int] = {}
        self._weigh(self._read(passages))

    def changed(
        self, kept: npt.NDArray[np.intp], new: Sequence[str], order: npt.NDArray[np.intp]
    ) -> NgramIndex:
        """Return the index of other passages, of which only the ``new`` ones are read.

        Args:
            kept: rows of the passages that stay.
            new: normalised texts that come after them.
            order: the rows of both together, as they shall stand.
        """
        other = copy(self)
        added = self._read(new)
        stay = self._rows[kept]
        stay.resize((len(kept), added.shape[1]))
        other._weigh(vstack([stay, added], format="csr")[order])
        return other

    def _read(self, passages: Sequence[str]) -> csr_matrix:
        """Return which n-grams the passages have: ``(passages, n-grams)``, 1 or nothing."""
        numbers, ends = array("i"), array("q", [0])
        for text in passages:
            grams = dict.fromkeys(self._analyse(text))
            known = self._vocabulary
            numbers.extend(sorted(known.setdefault(gram, len(known)) for gram in grams))
            ends.append(len(numbers))
        ones = np.ones(len(numbers), dtype=np.float32)
        shape = (len(passages), len(self._vocabulary))
        return csr_matrix((ones, np.array(numbers, dtype=np.int32), np.array(ends)), shape=shape)

    def _weigh(self, rows: csr_matrix) -> None:
        count = rows.shape[0]
        self._rows, self._present = rows, rows.tocsc()
        self._used = np.diff(self._present.indptr)
        self._rarity: Floats = np.log((1 + count) / (1 + self._used)).astype(np.float32) + 1
        self._unseen = float(np.log(1 + count) + 1)
        self._mass: Floats = np.asarray(rows @ self._rarity, dtype=np.float32).ravel()
        lengths = np.sqrt(np.asarray(rows @ self._rarity**2, dtype=np.float32).ravel())
        self._lengths: Floats = np.maximum(lengths, np.float32(1e-6))

    @property
    def unit_rows(self) -> csr_matrix:
        """The passages as rows of n-grams weighed by rarity, each of length 1."""
        return self._rows.multiply(self._rarity).multiply(1 / self._lengths[:, None]).tocsr()

    def compare(self, text: str, rows: npt.NDArray[np.intp] | None = None) -> Comparison:
        """Compare ``text`` with every passage, or with those in ``rows`` alone."""
        columns, count = self._columns(text)
        rarity = self._rarity[columns]
        if rows is None:
            hits, mass, lengths = self._present[:, columns].toarray(), self._mass, self._lengths
        else:
            hits = self._rows[rows][:, columns].toarray()
            mass, lengths = self._mass[rows], self._lengths[rows]
        whole = float(rarity.sum()) + (count - len(columns)) * self._unseen
        held = np.divide(hits @ rarity, mass, out=np.zeros_like(mass), where=mass > 0)
        length = float(np.sqrt((rarity**2).sum())) or 1.0
        return Comparison(
            held=held,
            hits=hits,
            weights=rarity / whole if whole else rarity,
            cosines=(hits @ rarity**2) / (lengths * length),
        )

    def likeliest(
        self, text: str, limit: int, among: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.intp]:
        """Return at most ``limit`` passages that share the rarest n-grams with ``text``.

        Only the rarest n-grams are looked at, until ``MAX_POSTINGS`` passages have been: what
        is in every passage tells nothing and would cost most.

        Args:
            text: normalised.
            limit: how many at most.
            among: which passages to choose from; None for all.
        """
        columns, _ = self._columns(text)
        found: list[npt.NDArray[np.int32]] = []
        weights: list[Floats] = []
        seen = 0
        for column in sorted(columns, key=lambda column: self._used[column]):
            start, stop = self._present.indptr[column : column + 2]
            if found and seen + stop - start > MAX_POSTINGS:
                break
            seen += stop - start
            found.append(self._present.indices[start:stop])
            weights.append(np.full(stop - start, self._rarity[column]))
        if not found:
            return np.empty(0, dtype=np.intp)
        rows, which = np.unique(np.concatenate(found), return_inverse=True)
        scores = np.bincount(which, np.concatenate(weights))
        if among is not None:
            allowed = among[rows]
            rows, scores = rows[allowed], scores[allowed]
        return rows[np.lexsort((rows, -scores))[:limit]].astype(np.intp)

    def _columns(self, text: str) -> tuple[list[int], int]:
        """Return the n-grams of ``text`` that some passage has, and how many it has in all."""
        grams = dict.fromkeys(self._analyse(text))
        size = len(self._used)  # later changes may have added to the vocabulary
        numbers = [self._vocabulary.get(gram, size) for gram in grams]
        return [n for n in numbers if n < size and self._used[n] > 0], len(grams)
