"""Probabilities and truths where every picture has exactly one class."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError
from winnow.metrics.sums import CALIBRATION_BINS, BinSums, Grouping, Ranking, confidence_bins


class Predictions:
    """Probabilities and true labels of the same examples, sorted and binned once.

    Args:
        probs: (N, C) class probabilities; each row sums to 1.
        labels: (N,) true class ids in 0..C-1.

    Raises:
        UserError: the shapes do not fit, there is no example, a label is not in 0..C-1, or the probabilities
            are not finite or do not sum to 1 (were logits passed? apply softmax first).
    """

    def __init__(self, probs: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
        labels = np.asarray(labels)
        probs = np.asarray(probs)
        _check(probs, labels)
        # As scikit-learn's log_loss does: what float32 cannot tell from 0 counts as float32's smallest step.
        self.smallest_prob = float(np.finfo(probs.dtype).eps) if probs.dtype.kind == "f" else 2.0**-52
        self.probs: NDArray[np.float64] = probs.astype(np.float64, copy=False)
        self.labels: NDArray[np.int64] = labels.astype(np.int64, copy=False)

    @property
    def n(self) -> int:
        """Examples."""
        return self.probs.shape[0]

    @property
    def n_classes(self) -> int:
        """Classes, those without an example included."""
        return self.probs.shape[1]

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """(N,) the most probable class; the first of equals."""
        return self.probs.argmax(axis=1)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) probability of the answer."""
        return self.probs.max(axis=1)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is the label."""
        return self.answers == self.labels

    @property
    def counts(self) -> NDArray[np.int64]:
        """(C,) examples of each class."""
        return np.bincount(self.labels, minlength=self.n_classes)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(N,) -log of the probability given to the true class, clipped as scikit-learn clips it."""
        given = self.probs[np.arange(self.n), self.labels]
        return -np.log(np.clip(given, self.smallest_prob, 1 - self.smallest_prob))

    @property
    def n_labelled(self) -> int:
        """Examples that a ratio pooled over classes rests on: all, each has a class."""
        return self.n

    @property
    def reliability(self) -> BinSums:
        """How sure the answers were and how often right."""
        return BinSums.of(self.confidence, self.is_right)

    def lopsided(self, metric: str) -> tuple[NDArray[np.float64], float]:
        """(N,) the values behind a metric that is a lopsided mean, and the largest one possible."""
        assert metric == "log_loss", metric
        return self.losses, -math.log(self.smallest_prob)

    def truth_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (C, B): examples of each class."""
        return self.by_label.sums(columns)

    def call_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (C, B): examples answered as each class."""
        return self.by_answer.sums(columns)

    def hit_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (C, B): examples of each class that are answered right."""
        return self.by_hit.sums(columns)

    def loss_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (B,): the sum of `losses`."""
        return self.losses @ columns

    def gap_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (bins, B): right answers minus the sum of confidence, by confidence bin."""
        gap = self.is_right - self.confidence
        return self.by_bin.sums(columns * gap[:, None])

    def ranking(self, c: int) -> Ranking | None:
        """How class c ranks the examples; None where no example is of it, or every one."""
        return self.rankings[c]

    @cached_property
    def bins(self) -> NDArray[np.int64]:
        """(N,) the confidence bin of each example."""
        return confidence_bins(self.confidence, CALIBRATION_BINS)

    @cached_property
    def by_label(self) -> Grouping:
        """Examples grouped by true class."""
        return Grouping(self.labels, self.n_classes)

    @cached_property
    def by_answer(self) -> Grouping:
        """Examples grouped by answer."""
        return Grouping(self.answers, self.n_classes)

    @cached_property
    def by_hit(self) -> Grouping:
        """Examples that are answered right, grouped by class."""
        return Grouping(np.where(self.is_right, self.labels, -1), self.n_classes)

    @cached_property
    def by_bin(self) -> Grouping:
        """Examples grouped by confidence bin."""
        return Grouping(self.bins, CALIBRATION_BINS)

    @cached_property
    def rankings(self) -> tuple[Ranking | None, ...]:
        """How each class ranks the examples; None where a class has no example, or no other class has one."""
        return tuple(
            Ranking(self.probs[:, c], self.labels == c) if 0 < count < self.n else None
            for c, count in enumerate(self.counts.tolist())
        )


def _check(probs: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
    if probs.ndim != 2 or labels.ndim != 1 or len(probs) != len(labels):
        raise UserError(
            f"Probabilities of shape {probs.shape} and labels of shape {labels.shape} do not belong "
            "together: give (N, C) probabilities and N labels."
        )
    if len(probs) == 0:
        raise UserError("There are no predictions to judge: give at least one example.")
    if probs.shape[1] < 2:
        raise UserError("There is only one class, so every answer is right: give at least two classes.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= probs.shape[1]:
        raise UserError(f"Labels must be whole class ids in 0..{probs.shape[1] - 1}: map the names to ids first.")
    # 1 % of slack: graphs in bfloat16 or int8 round their probabilities.
    if not np.isfinite(probs).all() or (np.abs(probs.sum(axis=1) - 1) > 1e-2).any() or (probs < 0).any():
        raise UserError("Some rows are not probabilities that sum to 1 (were logits passed? apply softmax first).")
