"""k nearest neighbours: the training examples most like this one vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Lesson, Rows, Write
from winnow.tasks.heads.standardise import Standardiser
from winnow.tasks.heads.subsample import stratified_subsample, subsample_each
from winnow.tasks.rung import Settings

_MAX_BYTES = 64 * 1024 * 1024  # the graph carries its training examples: no more of them than this


class NearestNeighbour:
    """Votes of the k nearest by Euclidean distance, smoothed by the classes' frequencies.

    The share of votes is scikit-learn's `KNeighborsClassifier.predict_proba`; (k * share + prior) / (k + 1) keeps a
    class without votes possible.

    Source: Cover and Hart, Nearest Neighbor Pattern Classification, 1967.
    """

    heeds_weights = False

    def grid(self, n_features: int) -> Sequence[Settings]:
        """How many neighbours vote, the smoothest first."""
        return [{"neighbours": k} for k in (25, 8, 3, 1)]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Remember."""
        most = max(lesson.n_classes, _most_remembered(lesson.rows.shape[1]))
        kept = stratified_subsample(lesson.labels, most, lesson.seed)
        standardiser = Standardiser.of(lesson.rows, each=False)
        known = standardiser.apply(lesson.rows[kept])
        votes = np.eye(lesson.n_classes, dtype=np.float32)[lesson.labels[kept]]
        weights = np.ones(lesson.n_classes)
        if lesson.is_balanced:
            weights = 1 / np.maximum(votes.mean(axis=0), 1e-12) / lesson.n_classes
        return [_writer(standardiser, known, votes, weights, int(settings["neighbours"])) for settings in grid]

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """Remember; each neighbour votes for every class it shows."""
        kept = subsample_each(lesson.labels, _most_remembered(lesson.rows.shape[1]), lesson.seed)
        standardiser = Standardiser.of(lesson.rows, each=False)
        known, votes = standardiser.apply(lesson.rows[kept]), lesson.labels[kept].astype(np.float32)
        return [_each_writer(standardiser, known, votes, int(settings["neighbours"])) for settings in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """All distances between judged and remembered examples, once per k."""
        remembered = min(n, _most_remembered(n_features))
        return 0.01 + n_grid * 0.25 * n * (2.0 * remembered * n_features / 2e10 + remembered * 2e-9)

    estimate_each_s = estimate_s


def _most_remembered(n_features: int) -> int:
    return _MAX_BYTES // (4 * n_features)


def _writer(standardiser: Standardiser, known: Rows, votes: Rows, weights: np.ndarray, k: int) -> Write:
    def write(pen: GraphPen, x: str) -> str:
        smoothed = _write_shares(pen, standardiser.write(pen, x), known, votes, k)
        return pen.op("Log", pen.op("Mul", smoothed, pen.constant(weights)))

    return write


def _each_writer(standardiser: Standardiser, known: Rows, votes: Rows, k: int) -> Write:
    def write(pen: GraphPen, x: str) -> str:
        smoothed = _write_shares(pen, standardiser.write(pen, x), known, votes, k)
        others = pen.op("Sub", pen.constant(1), smoothed)
        return pen.op("Sub", pen.op("Log", smoothed), pen.op("Log", others))

    return write


def _write_shares(pen: GraphPen, unit: str, known: Rows, votes: Rows, k: int) -> str:
    """Standardised rows (N, D) to the smoothed share (N, C) of each class among the votes of the nearest k."""
    k = min(k, len(known))
    prior = votes.mean(axis=0)
    squares = (known.astype(np.float64) ** 2).sum(axis=1)
    # -|x - t|^2 + |x|^2 = 2 x t - |t|^2: the same order, one product.
    nearness = pen.linear(unit, 2 * known.T, -squares)
    _, nearest = pen.op2("TopK", nearness, pen.constant([k], np.int64), axis=1)
    share = pen.op(
        "ReduceMean", pen.op("Gather", pen.constant(votes), nearest), pen.constant([1], np.int64), keepdims=0
    )
    return pen.op("Add", pen.op("Mul", share, pen.constant(k / (k + 1))), pen.constant(prior / (k + 1)))
