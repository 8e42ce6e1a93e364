"""How a rung chooses its settings and its temperature without looking at the example it is judged on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from winnow.metrics.calibration import apply_temperature, fit_temperature

Matrix = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]


def careful_temperature(logits: Matrix, labels: Labels) -> float:
    """The temperature of least log loss, but never surer on average than so many examples can show.

    Where every judged example is right, log loss would have infinite sureness. Laplace's rule of succession
    allows (n + 1) / (n + 2) after n successes; the temperature is raised until the mean confidence obeys it.

    Args:
        logits: (N, C) of examples the model was not fitted to.
        labels: (N,) class ids.
    """
    temperature = fit_temperature(logits, labels)
    most = (len(labels) + 1) / (len(labels) + 2)
    if apply_temperature(logits, temperature).max(axis=1).mean() <= most:
        return temperature
    low, high = np.log(temperature), np.log(1e6)
    for _ in range(60):
        middle = (low + high) / 2
        is_too_sure = apply_temperature(logits, np.exp(middle)).max(axis=1).mean() > most
        low, high = (middle, high) if is_too_sure else (low, middle)
    return float(np.exp(high))


def log_loss(logits: Matrix, labels: Labels, temperature: float) -> float:
    """Mean of -log(probability of the true class)."""
    probs = apply_temperature(logits, temperature)
    return float(-np.log(np.maximum(probs[np.arange(len(labels)), labels], 1e-15)).mean())


def choose(grid_logits: Sequence[Matrix], labels: Labels) -> tuple[int, float]:
    """The entry of a grid with the least log loss after calibration, and its temperature."""
    temperatures = [careful_temperature(logits, labels) for logits in grid_logits]
    losses = [
        log_loss(logits, labels, temperature) for logits, temperature in zip(grid_logits, temperatures, strict=True)
    ]
    best = int(np.argmin(losses))
    return best, temperatures[best]


def cross_fitted(
    grid_logits: Sequence[Matrix], labels: Labels, group_of: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Probabilities (N, C) of each group with settings and temperature chosen on the *other* groups only.

    Args:
        grid_logits: (N, C) per entry of the grid, of examples the models were not fitted to.
        labels: (N,) class ids.
        group_of: (N,) the fold (or half of a validation split) that each example belongs to.
    """
    probs = np.empty(grid_logits[0].shape, dtype=np.float32)
    for group in np.unique(group_of):
        mine = group_of == group
        others = ~mine if (~mine).any() else mine
        entry, temperature = choose([logits[others] for logits in grid_logits], labels[others])
        probs[mine] = apply_temperature(grid_logits[entry][mine], temperature)
    return probs
