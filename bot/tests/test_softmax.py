from __future__ import annotations

import unittest

import numpy as np
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from bot.components.softmax import fit


class SoftmaxTest(unittest.TestCase):
    def setUp(self) -> None:
        rng = np.random.RandomState(7)
        self.dense = rng.randn(120, 5)
        self.sparse = csr_matrix(rng.binomial(1, 0.2, (120, 9)).astype(float))
        self.labels = np.arange(120) % 3
        self.dense[np.arange(120), self.labels] += 1.5

    def test_it_is_the_model_of_scikit_learn(self) -> None:
        ours = fit(self.dense, self.sparse, self.labels, strength=2.0, iterations=500)
        both = hstack([csr_matrix(self.dense), self.sparse]).tocsr()
        theirs = LogisticRegression(C=2.0, max_iter=2000, tol=1e-8).fit(both, self.labels)
        np.testing.assert_allclose(
            softmax(ours.logits(self.dense, self.sparse), axis=1),
            theirs.predict_proba(both),
            atol=2e-3,
        )


if __name__ == "__main__":
    unittest.main()
