"""Predictions of a simulated classifier whose true worth can be computed, shared by the tests of this room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.metrics import measure
from winnow.metrics.intervals import Interval
from winnow.metrics.metric import Metric
from winnow.metrics.predictions import Predictions
from winnow.metrics.resamples import Resamples


def interval(
    metric: Metric[Predictions], probs: NDArray[np.float64], labels: NDArray[np.int64], resamples: Resamples
) -> Interval | None:
    """The score of these predictions and its interval."""
    return measure.interval(metric, Predictions(probs, labels), resamples)


def simulated_predictions(
    n: int, classes: int, *, seed: int, skill: float = 2.0, sharpness: float = 1.5, decimals: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities (n, classes) and labels (n,); `decimals` rounds them coarsely, which makes ties."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), labels] += skill
    probs = np.exp(sharpness * logits)
    probs /= probs.sum(axis=1, keepdims=True)
    if decimals is not None:
        probs = np.round(probs, decimals) + 10.0 ** -(decimals + 1)
        probs /= probs.sum(axis=1, keepdims=True)
        probs = np.round(probs, 12)
    return probs, labels


def simulated_multilabel(
    n: int, classes: int, *, seed: int, skill: float = 2.0, decimals: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities (n, classes) and what the pictures show (n, classes); some classes are rarer than others.

    The classes of a picture come together more often than chance has it; `decimals` makes ties.
    """
    rng = np.random.default_rng(seed)
    rates = np.linspace(0.5, 0.15, classes)
    mood = rng.normal(size=(n, 1))
    labels = mood + rng.normal(size=(n, classes)) > np.sqrt(2) * (0.5 - rates) * 2.5
    logits = skill * (labels - 0.5) + rng.normal(size=(n, classes)) - 0.5
    probs = 1 / (1 + np.exp(-1.5 * logits))
    return (probs if decimals is None else np.round(probs, decimals)), labels
