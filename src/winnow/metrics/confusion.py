"""Which class is taken for which: the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """How often each class (row) was answered as each class (column)."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """(C, C): row = truth, column = answer."""


def confusion_table(
    answers: NDArray[np.integer], labels: NDArray[np.integer], classes: Sequence[str]
) -> ConfusionTable:
    """Count the answers of each class.

    Args:
        answers: (N,) class ids that the model answered, in 0..C-1.
        labels: (N,) true class ids in 0..C-1.
        classes: the C class names, by id.

    >>> confusion_table(np.array([0, 1, 1]), np.array([0, 0, 1]), ["cat", "dog"]).counts
    ((1, 1), (0, 1))
    """
    C = len(classes)
    cells = labels.astype(np.int64) * C + answers.astype(np.int64)
    counts = np.bincount(cells, minlength=C * C).reshape(C, C)
    return ConfusionTable(tuple(classes), tuple(tuple(row) for row in counts.tolist()))
