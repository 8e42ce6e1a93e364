"""Which class is taken for which."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix

from winnow.metrics.confusion import confusion_table


def test_rows_are_truth_and_columns_are_answers():
    table = confusion_table(np.array([1, 1, 0]), np.array([0, 0, 0]), ["cat", "dog"])
    assert table.classes == ("cat", "dog")
    assert table.counts == ((1, 2), (0, 0))


def test_counts_equal_scikit_learns():
    rng = np.random.default_rng(0)
    answers, labels = rng.integers(0, 7, 500), rng.integers(0, 7, 500)
    table = confusion_table(answers, labels, [str(c) for c in range(7)])
    assert np.array_equal(np.array(table.counts), confusion_matrix(labels, answers))
