"""Probabilities, truths and calls where a picture may show any number of classes."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError
from winnow.metrics.sums import CALIBRATION_BINS, BinSums, Ranking, confidence_bins

_RANKED_ELEMENTS = 1 << 22
"""Pairs of classes compared at once, over all pictures of a chunk: 4 MiB."""


class MultilabelPredictions:
    """Probabilities, true labels and called labels of the same examples, sorted and binned once.

    Args:
        probs: (N, C) probability that the picture shows the class; rows need not sum to anything.
        labels: (N, C) 1 where it does, else 0.
        called: (N, C) whether the class is answered: its probability reaches the class's threshold.

    Raises:
        UserError: the shapes do not fit, there is no example, a label is neither 0 nor 1, or a probability does not
            lie in [0, 1] (were logits passed? apply a sigmoid first).
    """

    def __init__(self, probs: NDArray[np.floating], labels: NDArray[np.generic], called: NDArray[np.bool_]) -> None:
        probs, labels, called = np.asarray(probs), np.asarray(labels), np.asarray(called)
        _check(probs, labels, called)
        # As scikit-learn's log_loss does: what float32 cannot tell from 0 counts as float32's smallest step.
        self.smallest_prob = float(np.finfo(probs.dtype).eps) if probs.dtype.kind == "f" else 2.0**-52
        self.probs: NDArray[np.float64] = probs.astype(np.float64, copy=False)
        self.labels: NDArray[np.bool_] = labels.astype(np.bool_, copy=False)
        self.called: NDArray[np.bool_] = called.astype(np.bool_, copy=False)

    @property
    def n(self) -> int:
        """Examples."""
        return self.probs.shape[0]

    @property
    def n_classes(self) -> int:
        """Classes, those without an example included."""
        return self.probs.shape[1]

    @property
    def counts(self) -> NDArray[np.int64]:
        """(C,) examples of each class."""
        return self.labels.sum(axis=0)

    @property
    def n_labelled(self) -> int:
        """Examples that show or were answered anything: what a ratio pooled over classes rests on."""
        return int((self.labels | self.called).any(axis=1).sum())

    @property
    def reliability(self) -> BinSums:
        """Of all (picture, class) pairs: the probabilities, and how often the class was there."""
        return BinSums.of(self.probs.ravel(), self.labels.ravel())

    @cached_property
    def is_exact(self) -> NDArray[np.bool_]:
        """(N,) whether all that the picture shows was answered and nothing else."""
        return (self.called == self.labels).all(axis=1)

    @cached_property
    def wrong_share(self) -> NDArray[np.float64]:
        """(N,) share of the classes that were missed or falsely called."""
        return (self.called != self.labels).mean(axis=1)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(N,) mean over classes of the binary cross-entropy, clipped as scikit-learn clips it."""
        given = np.where(self.labels, self.probs, 1 - self.probs)
        return -np.log(np.clip(given, self.smallest_prob, 1 - self.smallest_prob)).mean(axis=1)

    @cached_property
    def ranking_precision(self) -> NDArray[np.float64]:
        """(N,) mean over a picture's classes of the share of its classes among those ranked as high or higher.

        1 where it shows no class or all. Source: scikit-learn, `label_ranking_average_precision_score`.
        """
        return self._label_ranks[0]

    @cached_property
    def coverage(self) -> NDArray[np.float64]:
        """(N,) how many classes must be taken, the likeliest first, to have all that the picture shows.

        Source: scikit-learn, `coverage_error`; ties count against the model.
        """
        return self._label_ranks[1]

    @cached_property
    def rankings(self) -> tuple[Ranking | None, ...]:
        """How each class ranks the examples; None where no example shows the class, or every one."""
        return tuple(
            Ranking(self.probs[:, c], self.labels[:, c]) if 0 < count < self.n else None
            for c, count in enumerate(self.counts.tolist())
        )

    @cached_property
    def pooled_ranking(self) -> Ranking | None:
        """How all (picture, class) pairs are ranked; None where all are true or none."""
        if not self.labels.any() or self.labels.all():
            return None
        examples = np.repeat(np.arange(self.n), self.n_classes)
        return Ranking(self.probs.ravel(), self.labels.ravel(), examples)

    def lopsided(self, metric: str) -> tuple[NDArray[np.float64], float]:
        """(N,) the values behind a metric that is a lopsided mean, and the largest one possible."""
        if metric == "coverage_error":
            return self.coverage, float(self.n_classes)
        assert metric == "log_loss", metric
        return self.losses, -math.log(self.smallest_prob)

    def truth_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (C, B): examples that show each class."""
        return self.labels.T.astype(np.float64) @ columns

    def call_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (C, B): examples for which each class was called."""
        return self.called.T.astype(np.float64) @ columns

    def hit_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (C, B): examples that show each class and for which it was called."""
        return (self.called & self.labels).T.astype(np.float64) @ columns

    def loss_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (B,): the sum of `losses`."""
        return self.losses @ columns

    def gap_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) weights to (bins, B): truths minus probabilities by bin; each of a picture's pairs weighs 1 / C."""
        return self._gaps @ columns

    def ranking(self, c: int) -> Ranking | None:
        """How class c ranks the examples; None where no example shows it, or every one."""
        return self.rankings[c]

    @cached_property
    def _gaps(self) -> NDArray[np.float64]:
        cells = confidence_bins(self.probs, CALIBRATION_BINS) * self.n + np.arange(self.n)[:, None]
        gaps = (self.labels - self.probs) / self.n_classes
        sums = np.bincount(cells.ravel(), weights=gaps.ravel(), minlength=CALIBRATION_BINS * self.n)
        return sums.reshape(CALIBRATION_BINS, self.n).astype(np.float64, copy=False)

    @cached_property
    def _label_ranks(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        precision, coverage = np.ones(self.n), np.zeros(self.n)
        step = max(1, _RANKED_ELEMENTS // self.n_classes**2)
        for start in range(0, self.n, step):
            probs, labels = self.probs[start : start + step], self.labels[start : start + step]
            is_as_high = probs[:, None, :] >= probs[:, :, None]  # [i, j, k]: class k is ranked as high as class j
            rank = is_as_high.sum(axis=2)
            true_rank = (is_as_high & labels[:, None, :]).sum(axis=2)
            n_true = labels.sum(axis=1)
            has_both = (n_true > 0) & (n_true < self.n_classes)
            mean = (labels * true_rank / rank).sum(axis=1) / np.maximum(n_true, 1)
            precision[start : start + step] = np.where(has_both, mean, 1.0)
            coverage[start : start + step] = (labels * rank).max(axis=1)
        return precision, coverage


def _check(probs: NDArray[np.floating], labels: NDArray[np.generic], called: NDArray[np.bool_]) -> None:
    if probs.ndim != 2 or labels.shape != probs.shape or called.shape != probs.shape:
        raise UserError(
            f"Probabilities of shape {probs.shape}, labels of shape {labels.shape} and called labels of shape "
            f"{called.shape} do not belong together: give (N, C) of each."
        )
    if not probs.size:
        raise UserError("There are no predictions to judge: give at least one example and one class.")
    if not np.isin(labels, (0, 1)).all():
        raise UserError(
            "Labels of several classes a picture are a table of 0 and 1: a row a picture, a column a class."
        )
    if not (np.isfinite(probs).all() and probs.min() >= 0 and probs.max() <= 1):
        raise UserError("Some probabilities do not lie in 0 to 1 (were logits passed? apply a sigmoid first).")
