"""Which class is taken for which: the confusion matrix; and where several may be right, what is missed for what."""

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


@dataclass(frozen=True, slots=True)
class MissTable:
    """Which classes are missed and which are called falsely, where a picture may show several."""

    classes: tuple[str, ...]
    together: tuple[tuple[int, ...], ...]
    """(C, C) pictures that show both classes; on the diagonal, those that show the class."""
    instead: tuple[tuple[int, ...], ...]
    """(C, C) pictures in which the row's class was missed and the column's falsely called; 0 on the diagonal."""
    missed: tuple[int, ...]
    """(C,) pictures that show the class, but for which it was not called."""
    false: tuple[int, ...]
    """(C,) pictures that do not show the class, but for which it was called."""


def miss_table(called: NDArray[np.bool_], labels: NDArray[np.bool_], classes: Sequence[str]) -> MissTable:
    """Count what was missed and what was falsely called.

    Args:
        called: (N, C) which classes the model answered.
        labels: (N, C) which classes the pictures show.
        classes: the C class names, by id.

    >>> table = miss_table(np.array([[False, True]]), np.array([[True, False]]), ["cat", "dog"])
    >>> table.missed, table.false, table.instead
    ((1, 0), (0, 1), ((0, 1), (0, 0)))
    """
    true, missed, false = (part.astype(np.int64) for part in (labels, labels & ~called, called & ~labels))
    return MissTable(
        classes=tuple(classes),
        together=_rows(true.T @ true),
        instead=_rows(missed.T @ false),
        missed=tuple(missed.sum(axis=0).tolist()),
        false=tuple(false.sum(axis=0).tolist()),
    )


def _rows(table: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in table.tolist())
