"""How well something that should not matter predicts the class, with an interval that knows how much was tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.data.splits import folds
from winnow.metrics.intervals import Interval, normal_quantile

FOLDS = 5
# Enough to be sure of a tenth; more would only take longer.
_MOST = 4000
_TREES, _DEPTH, _LEAF = 30, 6, 4

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ShortcutScore:
    """What a nuisance alone says of one class.

    Attributes:
        label: class id.
        balanced_accuracy: mean of the shares that are right of this class and of all others, out of fold; 0.5 is
            guessing.
        members: (n,) which examples of the class were looked at.
        probs: (n,) probability of the class for each of them, out of fold.
    """

    label: int
    balanced_accuracy: Interval
    members: Labels
    probs: NDArray[np.float64]


def shortcut_scores(
    columns: NDArray[np.float64], labels: Labels, clusters: NDArray[np.integer], *, tried: int = 1, seed: int = 0
) -> list[ShortcutScore]:
    """Every class against the others, predicted from these columns alone; of two classes the first.

    A small random forest learns in all folds but one and answers for that one, clusters kept whole. The interval is a
    normal one with two more examples, half of them right, on each side (Agresti and Coull 1998); its level is raised
    so that it holds for all classes and all `tried` nuisances together (Bonferroni).

    Args:
        columns: (N, K) the nuisance's numbers.
        labels: (N,) class ids 0..C-1.
        clusters: (N,) which examples belong together.
        tried: how many nuisances are looked at.
        seed: of the folds, the forest and, beyond 4,000 examples, of those that are looked at.

    Returns:
        Nothing where fewer than two classes have as many clusters as there are folds.
    """
    chosen = _sample(labels, clusters, seed)
    y: Labels = np.unique(labels[chosen], return_inverse=True)[1].reshape(-1)
    names, together = np.unique(labels[chosen]), clusters[chosen]
    if len(names) < 2:
        return []
    probs = _out_of_fold(columns[chosen], y, together, len(names), seed)
    looked = range(1 if len(names) == 2 else len(names))
    level = 1 - 0.05 / (tried * len(looked))
    scores: list[ShortcutScore] = []
    for label in looked:
        is_it, said = y == label, probs[:, label] > 1 / len(names)
        interval = _balanced_accuracy(said, is_it, together, level)
        scores.append(ShortcutScore(int(names[label]), interval, chosen[is_it], probs[is_it, label]))
    return scores


def _sample(labels: Labels, clusters: NDArray[np.integer], seed: int) -> Labels:
    """Examples of classes with enough clusters to be in every fold; at most `_MOST`."""
    pairs = np.unique(np.stack([labels, clusters]), axis=1)[0]
    ids, n_clusters = np.unique(pairs, return_counts=True)
    chosen = np.flatnonzero(np.isin(labels, ids[n_clusters >= FOLDS])).astype(np.int64)
    if len(chosen) > _MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, _MOST, replace=False))
        return chosen[np.isin(labels[chosen], _frequent(labels[chosen]))]
    return chosen


def _frequent(labels: Labels) -> Labels:
    ids, counts = np.unique(labels, return_counts=True)
    return ids[counts >= FOLDS]


def _out_of_fold(
    columns: NDArray[np.float64], y: Labels, clusters: NDArray[np.integer], n_classes: int, seed: int
) -> NDArray[np.float64]:
    from sklearn.ensemble import RandomForestClassifier

    fold_of = folds(y, clusters, FOLDS, seed)
    probs = np.zeros((len(y), n_classes))
    for fold in range(FOLDS):
        held_out = fold_of == fold
        forest = RandomForestClassifier(
            _TREES, max_depth=_DEPTH, min_samples_leaf=_LEAF, class_weight="balanced", random_state=seed
        )
        forest.fit(columns[~held_out], y[~held_out])
        probs[np.ix_(held_out, forest.classes_)] = forest.predict_proba(columns[held_out])
    return probs


def _balanced_accuracy(
    said: NDArray[np.bool_], is_it: NDArray[np.bool_], clusters: NDArray[np.integer], level: float
) -> Interval:
    found, variance = 0.0, 0.0
    for right, side in ((said[is_it], clusters[is_it]), (~said[~is_it], clusters[~is_it])):
        share, n = float(right.mean()), len(np.unique(side))
        found += share / 2
        smoothed = (share * n + 1) / (n + 2)
        variance += smoothed * (1 - smoothed) / n / 4
    half = normal_quantile(level) * math.sqrt(variance)
    return Interval(found, max(found - half, 0.0), min(found + half, 1.0), level)
