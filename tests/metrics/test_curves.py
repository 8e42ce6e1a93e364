"""What each threshold would do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from winnow.metrics.curves import curves_by_class, multilabel_threshold_table, pr_curve, roc_curve, threshold_table

from .simulated import simulated_multilabel, simulated_predictions


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """(N, classes) whether the picture is of the class."""
    return labels[:, None] == np.arange(classes)


def test_a_short_precision_recall_curve_is_scikit_learns():
    probs, labels = simulated_predictions(60, 3, seed=1, decimals=1)
    curve = pr_curve(probs[:, 0], labels == 0)
    precision, recall, thresholds = oracle.precision_recall_curve(labels == 0, probs[:, 0])
    assert curve is not None
    theirs = dict(zip(thresholds, zip(recall, precision, strict=False), strict=False))
    for x, y, threshold in list(zip(curve.x, curve.y, curve.thresholds, strict=True))[1:]:
        assert (x, y) == pytest.approx(theirs[threshold], abs=1e-12)
    assert (curve.x[0], curve.y[0]) == (0, 1)
    assert curve.x[-1] == 1


def test_a_short_roc_curve_has_scikit_learns_area_and_corners():
    probs, labels = simulated_predictions(60, 3, seed=2, decimals=2)
    curve = roc_curve(probs[:, 1], labels == 1)
    assert curve is not None
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(oracle.roc_auc_score(labels == 1, probs[:, 1]), abs=1e-12)


def test_thinning_keeps_the_shape_with_at_most_200_points():
    probs, labels = simulated_predictions(20_000, 2, seed=3, skill=1)
    is_positive = labels == 1
    roc, pr = roc_curve(probs[:, 1], is_positive), pr_curve(probs[:, 1], is_positive)
    assert roc is not None
    assert pr is not None
    assert max(len(roc.x), len(pr.x)) <= 200
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(oracle.roc_auc_score(is_positive, probs[:, 1]), abs=5e-4)
    average_precision = oracle.average_precision_score(is_positive, probs[:, 1])
    assert np.trapezoid(pr.y, pr.x) == pytest.approx(average_precision, abs=5e-3)
    assert all(a > b for a, b in zip(roc.thresholds, roc.thresholds[1:], strict=False))


def test_the_first_point_calls_nothing_even_where_the_model_is_certain():
    curve = roc_curve(np.array([1.0, 0.0]), np.array([True, False]))
    assert curve is not None
    assert curve.thresholds[0] > 1
    assert np.isfinite(curve.thresholds[0])


def test_curves_that_mean_nothing_are_left_out():
    scores = np.array([0.2, 0.7])
    assert pr_curve(scores, np.array([False, False])) is None
    assert roc_curve(scores, np.array([True, True])) is None
    probs, labels = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1]]), np.array([0, 1])
    assert curves_by_class(roc_curve, probs, one_hot(labels, 3), ["cat", "dog", "owl"]).keys() == {
        "cat",
        "dog",
        "micro",
    }


def test_the_pooled_curve_is_over_all_pairs_of_picture_and_class():
    probs, labels = simulated_predictions(40, 3, seed=4)
    pairs = one_hot(labels, 3).ravel()
    pooled = curves_by_class(roc_curve, probs, pairs.reshape(40, 3), ["a", "b", "c"])["micro"]
    assert np.trapezoid(pooled.y, pooled.x) == pytest.approx(oracle.roc_auc_score(pairs, probs.ravel()), abs=1e-12)


def test_a_class_called_micro_does_not_hide_the_pooled_curve():
    probs, labels = simulated_predictions(40, 2, seed=5)
    curves = curves_by_class(pr_curve, probs, one_hot(labels, 2), ["micro", "macro"])
    assert curves.keys() == {"micro (class)", "macro", "micro"}


def test_the_threshold_table_counts_by_hand():
    probs = np.array([[0.9, 0.1], [0.6, 0.4], [0.45, 0.55]])
    rows = threshold_table(probs, np.array([0, 1, 1]), steps=10)
    assert [row.threshold for row in rows][:3] == [0.0, 0.1, 0.2]
    everything, strict, nothing = rows[0], rows[7], rows[10]
    # At 0 all are answered (2 of 3 right) and all six pairs are called (3 of them true).
    assert (everything.coverage, everything.recall) == (1, 1)
    assert everything.accuracy == pytest.approx(2 / 3)
    assert everything.precision == pytest.approx(1 / 2)
    assert strict.coverage == strict.recall == pytest.approx(1 / 3)
    assert strict.accuracy == strict.precision == 1
    assert (nothing.coverage, nothing.recall) == (0, 0)
    assert nothing.accuracy is None
    assert nothing.precision is None


def test_one_threshold_for_several_classes_counts_pairs():
    probs, labels = simulated_multilabel(50, 4, seed=6)
    for row in multilabel_threshold_table(probs, labels, steps=10):
        called = probs >= row.threshold
        assert row.coverage == called.any(axis=1).mean()
        assert row.accuracy is None
        assert row.recall == pytest.approx(oracle.recall_score(labels, called, average="micro"), abs=1e-12)
        if called.any():
            assert row.precision == pytest.approx(oracle.precision_score(labels, called, average="micro"), abs=1e-12)
        else:
            assert row.precision is None
