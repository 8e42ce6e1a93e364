"""Where a network's new head starts: at logistic regression on the features it will see."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

from winnow.tasks.heads.head import Labels, Rows
from winnow.tasks.heads.standardise import Standardiser

_PENALTY = 2.5
"""Inverse, a standardised feature: the second of the four that the rung `features-logistic-regression` tries."""
_ABSENT_BIAS = -10.0
"""Of a class without an example: its probability starts low, and learning may change that."""


def logistic_head(
    rows: Rows, labels: Labels, n_classes: int, weights: npt.NDArray[np.floating] | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weights (C, D) and bias (C,) on the features as they are, whatever their scale.

    Args:
        rows: (N, D) features.
        labels: (N,) class ids.
        n_classes: C.
        weights: (N,) what each example counts; None: all the same.
    """
    coef = np.zeros((n_classes, rows.shape[1]), dtype=np.float32)
    bias = np.full(n_classes, _ABSENT_BIAS, dtype=np.float32)
    present = np.unique(labels)
    if len(present) == 1:
        bias[present] = 0
        return coef, bias
    standardiser = Standardiser.of(rows)
    model = SklearnLogisticRegression(C=_PENALTY / rows.shape[1], max_iter=150, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(standardiser.apply(rows), labels, sample_weight=weights)
    learned, offset = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(present) == 2:  # one row that tells the second class from the first
        learned, offset = np.vstack([-learned, learned]) / 2, np.concatenate([-offset, offset]) / 2
    coef[present] = learned * standardiser.scale
    bias[present] = offset - coef[present] @ standardiser.mean
    return coef, bias
