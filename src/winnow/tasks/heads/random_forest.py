"""Random forest, as a tree ensemble of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Lesson, Write
from winnow.tasks.rung import Settings

TREES = 100
_MANY = 500
"""From so many examples on, each tree sees half of them: the same log loss to 0.01 in half the time (clouds, frozen
features, 2,031 pictures, out of fold)."""
MOST_FEATURES = 18
"""Features looked at per split: the usual sqrt(D) up to here. Breiman's own log2(D) + 1 is 11 for 1,280 features, where
sqrt(D) is 35; 18 took half the time for an accuracy of 0.745 instead of 0.744 on caltech101-mini and of 0.388 instead
of 0.396 on clouds (out of fold, frozen features)."""
_ML = "ai.onnx.ml"


class RandomForest:
    """scikit-learn's `RandomForestClassifier`, its mean leaf shares smoothed by the classes' frequencies.

    (T * share + prior) / (T + 1) for T trees keeps a class that no leaf has seen possible.

    Source: Breiman, Random Forests, 2001.
    """

    heeds_weights = True

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Nothing to choose: forests are robust to their settings."""
        return [{"trees": TREES}]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Grow the trees on one core; the folds share the cores among them."""
        forest = _forest(lesson).set_params(class_weight="balanced" if lesson.is_balanced else None)
        forest.fit(lesson.rows, lesson.labels, sample_weight=lesson.weights)
        counts = np.bincount(lesson.labels, weights=lesson.weights, minlength=lesson.n_classes)
        prior = counts / counts.sum()
        if lesson.is_balanced:
            prior = np.full(lesson.n_classes, 1 / lesson.n_classes)
        attributes = tree_ensemble(forest)

        def write(pen: GraphPen, x: str) -> str:
            return pen.op("Log", _write_smoothed(pen, x, attributes, prior))

        return [write for _ in grid]

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """Grow trees whose leaves know the share of every class among their examples (multi-output)."""
        # scikit-learn takes a single column for a plain class.
        labels = lesson.labels[:, 0] if lesson.n_classes == 1 else lesson.labels
        forest = _forest(lesson).fit(lesson.rows, labels, sample_weight=lesson.weights)
        attributes, prior = tree_ensemble(forest, is_each=True), lesson.rates

        def write(pen: GraphPen, x: str) -> str:
            smoothed = _write_smoothed(pen, x, attributes, prior)
            # The shares are sums of rounded numbers: where all trees are sure they may reach 1 but for a rounding.
            others = pen.op("Max", pen.op("Sub", pen.constant(1), smoothed), pen.constant(1e-6))
            return pen.op("Sub", pen.op("Log", smoothed), pen.op("Log", others))

        return [write for _ in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """N log N comparisons for the square root of D features, in each tree; pixels split worse and go deeper."""
        return 0.1 + TREES * 4e-8 * n * np.log2(max(n, 2)) * min(np.sqrt(n_features), MOST_FEATURES)

    def estimate_each_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """Every split counts all classes."""
        return self.estimate_s(n, n_features, n_classes, n_grid) * (1 + 0.3 * n_classes)


def _forest(lesson: Lesson | EachLesson) -> RandomForestClassifier:
    return RandomForestClassifier(
        n_estimators=TREES,
        max_samples=0.5 if len(lesson.labels) >= _MANY else None,
        max_features=max(1, min(MOST_FEATURES, int(np.sqrt(lesson.rows.shape[1])))),  # pyright: ignore[reportArgumentType]
        n_jobs=1,
        random_state=lesson.seed,
    )


def _write_smoothed(pen: GraphPen, x: str, attributes: dict[str, Any], prior: npt.NDArray[np.float64]) -> str:
    shares = pen.op("TreeEnsembleRegressor", x, domain=_ML, **attributes)
    smoothed = pen.op("Mul", shares, pen.constant(TREES / (TREES + 1)))
    return pen.op("Add", smoothed, pen.constant(prior / (TREES + 1)))


def tree_ensemble(forest: RandomForestClassifier, *, is_each: bool = False) -> dict[str, Any]:
    """The attributes of ONNX's TreeEnsembleRegressor for a fitted forest: its mean of leaf shares, a target a class.

    With `is_each` the forest was fitted to C columns of 0 and 1; the targets are the shares of 1.

    Not TreeEnsembleClassifier: ONNX Runtime reads a row that all trees give to the first of two classes as a single
    score s and answers (-s, s). A leaf's zero shares are left out, which makes deep forests five to ten times
    smaller. scikit-learn compares float32 features with float64 thresholds; `x <= t` holds for the same x if t is
    rounded *down* to float32.

    Source: ONNX, ai.onnx.ml operators, TreeEnsembleRegressor version 3.
    """
    parts: dict[str, list[npt.NDArray[Any]]] = {}
    shares = np.empty((0, 0))

    def add(**columns: npt.NDArray[Any]) -> None:
        for name, column in columns.items():
            parts.setdefault(name, []).append(column)

    n_trees = len(forest.estimators_)
    for tree_id, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        n_nodes = tree.node_count
        add(
            nodes_treeids=np.full(n_nodes, tree_id),
            nodes_nodeids=np.arange(n_nodes),
            nodes_featureids=np.where(is_leaf, 0, tree.feature),
            nodes_values=np.where(is_leaf, 0, round_down(tree.threshold)),
            nodes_truenodeids=np.where(is_leaf, 0, tree.children_left),
            nodes_falsenodeids=np.where(is_leaf, 0, tree.children_right),
            nodes_modes=np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
        )
        leaves = np.flatnonzero(is_leaf)
        values = tree.value[leaves] if is_each else tree.value[leaves, 0, :]  # (leaves, C, 2) or (leaves, C)
        shares = values / values.sum(axis=-1, keepdims=True)
        shares = shares[:, :, 1] if is_each else shares
        leaf, label = np.nonzero(shares)
        add(
            target_treeids=np.full(len(leaf), tree_id),
            target_nodeids=leaves[leaf],
            target_ids=label,
            target_weights=(shares[leaf, label] / n_trees).astype(np.float32),
        )
    attributes: dict[str, Any] = {name: np.concatenate(columns).tolist() for name, columns in parts.items()}
    return {**attributes, "n_targets": shares.shape[1]}


def round_down(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The largest float32 that is not above each value."""
    nearest = values.astype(np.float32)
    return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest).astype(np.float32)
