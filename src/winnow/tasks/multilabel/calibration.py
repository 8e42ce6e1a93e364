"""How a rung chooses its settings and each class's calibration without looking at the example it is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.floating]
Marks = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float64]

_STEPS, _CLOSE = 100, 1e-10
_SMALLEST = 1e-15


@dataclass(frozen=True, slots=True)
class Sigmoids:
    """For each class, sigmoid(slope * logit + offset), never surer than so many examples can make it."""

    slopes: Vector
    """(C,), never below 0: more logit is never less probability."""
    offsets: Vector
    """(C,)"""
    n: int
    """Examples behind them: probabilities lie in [1 / (n + 2), (n + 1) / (n + 2)]."""

    @property
    def most(self) -> float:
        """The log-odds of (n + 1) / (n + 2)."""
        return float(np.log(self.n + 1))

    def of(self, logits: Matrix) -> Vector:
        """(N, C) probabilities."""
        log_odds = self.slopes * logits.astype(np.float64) + self.offsets
        return _sigmoid(np.clip(log_odds, -self.most, self.most))


def fit_sigmoids(logits: Matrix, labels: Marks) -> Sigmoids:
    """The sigmoid of least log loss for each class, with Platt's targets.

    The targets are (n + 1) / (n + 2) for the n examples that show the class and 1 / (m + 2) for the m others (the rule
    of succession), so that a class which is told apart without a mistake is not believed for ever. A class that is
    ranked no better than by chance gets slope 0 and its base rate: what little order is left is chance, and out of
    fold even points the wrong way, since a fold with many examples of a class leaves few to learn from.

    A sigmoid that was fitted to logits close together says nothing of logits far away, yet would be sure of them. So
    no answer is surer than n examples that were all alike could make it.

    Args:
        logits: (N, C) of examples that the model was not fitted to.
        labels: (N, C) 0 and 1.

    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999; Newton's method with halved steps as in
    Lin, Lin and Weng, A Note on Platt's Probabilistic Outputs, 2007. The same optimum as scikit-learn's
    `CalibratedClassifierCV(method="sigmoid")` where its slope is not below 0.
    """
    fitted = [_fit_one(column.astype(np.float64), shown) for column, shown in zip(logits.T, labels.T, strict=True)]
    slopes, offsets = np.array(fitted).T
    return Sigmoids(slopes, offsets, len(labels))


def log_loss(probs: Matrix, labels: Marks) -> float:
    """Mean binary cross-entropy over all pairs of picture and class."""
    given = np.where(labels == 1, probs, 1 - probs)
    return float(-np.log(np.maximum(given, _SMALLEST)).mean())


def choose(grid_logits: Sequence[Matrix], labels: Marks) -> tuple[int, Sigmoids]:
    """The entry of a grid with the least log loss after calibration, and its sigmoids."""
    sigmoids = [fit_sigmoids(logits, labels) for logits in grid_logits]
    losses = [log_loss(one.of(logits), labels) for one, logits in zip(sigmoids, grid_logits, strict=True)]
    best = int(np.argmin(losses))
    return best, sigmoids[best]


def cross_fitted(
    grid_logits: Sequence[Matrix], labels: Marks, group_of: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Probabilities (N, C) of each group with settings and sigmoids chosen on the *other* groups only.

    Args:
        grid_logits: (N, C) per entry of the grid, of examples the models were not fitted to.
        labels: (N, C) 0 and 1.
        group_of: (N,) the fold (or half of a validation split) that each example belongs to.
    """
    probs = np.empty(grid_logits[0].shape, dtype=np.float32)
    for group in np.unique(group_of):
        mine = group_of == group
        others = ~mine if (~mine).any() else mine
        entry, sigmoids = choose([logits[others] for logits in grid_logits], labels[others])
        probs[mine] = sigmoids.of(grid_logits[entry][mine])
    return probs


def _fit_one(logits: Vector, shown: Marks) -> tuple[float, float]:
    n, m = int(shown.sum()), int((shown == 0).sum())
    targets = np.where(shown == 1, (n + 1) / (n + 2), 1 / (m + 2))
    rate = targets.mean()
    flat = 0.0, float(np.log(rate / (1 - rate)))
    # On one scale for all kinds of logits; rounding would make steps of what never changes.
    centre, spread = logits.mean(), logits.std()
    if spread <= 1e-9 * max(1.0, abs(centre)):
        return flat
    z = (logits - centre) / spread
    if ((targets - rate) * z).sum() <= 0:  # the log loss does not fall as the slope rises from 0
        return flat
    slope, offset = _newton(z, targets, flat)
    return slope / spread, offset - slope * centre / spread


def _newton(z: Vector, targets: Vector, start: tuple[float, float]) -> tuple[float, float]:
    """Slope and offset of least cross-entropy; it is convex, and its targets lie inside (0, 1), so there is one."""
    point: Vector = np.array(start)
    inputs = np.stack([z, np.ones_like(z)])

    def loss(at: Vector) -> float:
        logits = at @ inputs
        return float((np.logaddexp(0, logits) - targets * logits).mean())

    now = loss(point)
    for _ in range(_STEPS):
        probs = _sigmoid(point @ inputs)
        gradient = inputs @ (probs - targets) / len(z)
        curvature = (inputs * (probs * (1 - probs))) @ inputs.T / len(z) + 1e-12 * np.eye(2)
        step: Vector = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        scale = 1.0
        while scale > 1e-10 and loss(point - scale * step) > now - 1e-4 * scale * float(gradient @ step):
            scale /= 2
        if scale <= 1e-10:
            break
        point = point - scale * step
        now = loss(point)
        if np.abs(gradient).max() < _CLOSE:
            break
    return float(point[0]), float(point[1])


def _sigmoid(logits: Vector) -> Vector:
    return 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
