"""What passages of a document have in common, learned in closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve

from base.encoder import get_encoder
from matcher.learned import RIDGE, Kernel, Learned
from matcher.lexical import NgramIndex, characters, normalise, syllables

TEXTS = (
    "社保卡丢了怎么补",
    "补办一张社会保障卡",
    "社保卡挂失补领",
    "公积金怎么提取",
    "租房能不能取公积金",
    "买房把公积金取出来",
    "护照第一次办要什么",
    "出国要办护照",
)
TARGETS = np.array([0, 0, 0, 1, 1, 1, 2, 2])
EVERY = np.ones(len(TEXTS), dtype=bool)


class Passages:
    """The kernel over :data:`TEXTS`, and what a new text looks like to it."""

    def __init__(self) -> None:
        self.written = NgramIndex(TEXTS, characters)
        self.heard = NgramIndex(TEXTS, syllables)
        self.vectors = get_encoder().passages(list(TEXTS))
        self.kernel = Kernel(self.written, self.heard, self.vectors)

    def likeness(self, text: str, vector: np.ndarray | None = None) -> np.ndarray:
        text = normalise(text)
        meant = get_encoder().queries([text])[0] if vector is None else vector
        return self.kernel.compare(self.written.compare(text), self.heard.compare(text), meant)


@pytest.fixture(scope="module")
def passages() -> Passages:
    return Passages()


def test_a_new_wording_scores_highest_with_its_own_document(passages: Passages) -> None:
    learned = Learned.fit(passages.kernel, TARGETS, EVERY)
    for text, expected in (
        ("设保卡掉了想补一张", 0),
        ("付房租用公鸡金行吗", 1),
        ("首次申领护照", 2),
    ):
        scores = learned.scores(passages.likeness(text))
        assert scores.shape == (3,)
        assert int(scores.argmax()) == expected, (text, scores)


def test_a_passage_compared_as_a_question_is_what_the_matrix_says(passages: Passages) -> None:
    matrix = passages.kernel.matrix(np.arange(len(TEXTS)))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)
    for row, text in enumerate(TEXTS):
        alike = passages.likeness(text, passages.vectors[row])
        np.testing.assert_allclose(alike, matrix[row], atol=1e-4)


def test_the_coefficients_solve_the_regularised_equations(passages: Passages) -> None:
    matrix = passages.kernel.matrix(np.arange(len(TEXTS))).astype(np.float64)
    wanted = np.where(np.arange(3) == TARGETS[:, None], 1.0, -1.0)
    expected = solve(matrix + RIDGE * np.eye(len(TEXTS)), wanted)
    learned = Learned.fit(passages.kernel, TARGETS, EVERY)
    np.testing.assert_allclose(learned.coefficients, expected, atol=1e-4)


def test_a_passage_left_out_has_no_say(passages: Passages) -> None:
    kept = EVERY.copy()
    kept[[0, 4]] = False
    learned = Learned.fit(passages.kernel, TARGETS, kept)
    assert not learned.coefficients[~kept].any()
    assert learned.coefficients[kept].any(axis=1).all()
    alike = passages.likeness(TEXTS[4], passages.vectors[4])
    assert int(learned.scores(alike).argmax()) == 1, "its document is still found by the others"


def test_what_was_learned_is_kept_until_a_passage_changes(
    passages: Passages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Learned.remembered(passages.kernel, TARGETS, TEXTS, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Learned, "fit", None)  # it is not solved again
        again = Learned.remembered(passages.kernel, TARGETS, TEXTS, tmp_path)
    np.testing.assert_array_equal(again.coefficients, first.coefficients)
    moved = np.array([0, 0, 0, 1, 1, 1, 2, 0])
    other = Learned.remembered(passages.kernel, moved, TEXTS, tmp_path)
    assert (other.coefficients != first.coefficients).any()


def test_a_damaged_file_is_learned_anew(passages: Passages, tmp_path: Path) -> None:
    first = Learned.remembered(passages.kernel, TARGETS, TEXTS, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    again = Learned.remembered(passages.kernel, TARGETS, TEXTS, tmp_path)
    np.testing.assert_array_equal(again.coefficients, first.coefficients)
