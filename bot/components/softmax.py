"""Multinomial logistic regression over a dense and a sparse block of features.

scikit-learn's solver takes one matrix; a sparse one with 512 dense columns in it makes every step
ten times slower than the two products kept apart. This is the same model (softmax, L2 penalty
``1 / 2C``, intercept not penalised) fitted with the same optimiser (L-BFGS) on the two blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp


@dataclass(frozen=True)
class Softmax:
    """Weights of a fitted model: ``dense`` (d, k), ``sparse`` (s, k), ``bias`` (k,)."""

    dense: np.ndarray
    sparse: np.ndarray
    bias: np.ndarray

    def logits(self, dense: np.ndarray, sparse: csr_matrix) -> np.ndarray:
        """Return the class scores (n, k) of ``n`` rows."""
        return np.asarray(dense @ self.dense + sparse @ self.sparse + self.bias)


def fit(
    dense: np.ndarray,
    sparse: csr_matrix,
    labels: np.ndarray,
    strength: float,
    iterations: int,
) -> Softmax:
    """Fit a softmax regression.

    Args:
        dense: (n, d) float features.
        sparse: (n, s) features.
        labels: (n,) class numbers from 0.
        strength: inverse of the L2 penalty (scikit-learn's ``C``).
        iterations: at most so many L-BFGS steps.
    """
    shape = (dense.shape[1], sparse.shape[1], int(labels.max()) + 1)
    dense = np.ascontiguousarray(dense, dtype=np.float32)
    sparse = sparse.astype(np.float32)
    columns = sparse.T.tocsr()
    truth = np.zeros((len(labels), shape[2]), dtype=np.float32)
    truth[np.arange(len(labels)), labels] = 1

    def loss(flat: np.ndarray) -> Tuple[float, np.ndarray]:
        w_dense, w_sparse, bias = _unpack(flat.astype(np.float32), shape)
        scores = dense @ w_dense + sparse @ w_sparse + bias
        log_total = logsumexp(scores, axis=1, keepdims=True)
        value = float((log_total - (scores * truth).sum(1, keepdims=True)).sum())
        value += float((w_dense**2).sum() + (w_sparse**2).sum()) / (2 * strength)
        error = np.exp(scores - log_total) - truth
        gradient = np.concatenate(
            [
                (dense.T @ error + w_dense / strength).ravel(),
                (columns @ error + w_sparse / strength).ravel(),
                error.sum(0),
            ]
        )
        return value, gradient.astype(np.float64)

    start = np.zeros((shape[0] + shape[1] + 1) * shape[2])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 10}
    )
    return Softmax(*_unpack(found.x.astype(np.float32), shape))


def _unpack(
    flat: np.ndarray, shape: Tuple[int, int, int]
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    d, s, k = shape
    return flat[: d * k].reshape(d, k), flat[d * k : (d + s) * k].reshape(s, k), flat[-k:]
