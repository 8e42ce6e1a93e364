"""What `y` says, in any form that scikit-learn knows: one class a picture, or 0 and 1 for each picture and class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from winnow.data.manifest import Task
from winnow.data.sources.source import label_text
from winnow.errors import UserError


class FitError(UserError, ValueError):
    """What a person can mend, as scikit-learn's callers expect it: a ValueError."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The classes of N pictures."""

    classes: npt.NDArray[Any]
    """(C,) in the type of `y`; the numbers of its columns where it has a column a class."""
    names: list[str]
    """The same as text, each its own."""
    truths: list[tuple[str, ...]]
    """(N,) the names of the classes of each picture."""
    marks_type: np.dtype[Any] | None
    """The type of `y`'s 0 and 1; None where a picture has one class."""

    @property
    def task(self) -> Task:
        """What is asked; it does not hang on whether every picture happens to show one class."""
        return "classify" if self.marks_type is None else "multilabel"

    @classmethod
    def of(cls, y: Any) -> Targets:
        """Read `y`: (N,) labels, or (N, C) of 0 and 1 (dense, sparse, or a DataFrame whose columns name the classes).

        Raises:
            FitError: it is neither.
        """
        marks = _marks(y)
        if marks is not None:
            names = _column_names(y, marks.shape[1])
            truths = [tuple(names[c] for c in np.flatnonzero(row)) for row in marks]
            return cls(np.arange(len(names)), names, truths, marks.dtype)
        classes, ids = np.unique(_labels(y), return_inverse=True)
        names = _names(classes)
        return cls(classes, names, [(names[i],) for i in ids], None)


def _marks(y: Any) -> npt.NDArray[Any] | None:
    """(N, C) of 0 and 1 where a picture may show several classes; else None."""
    if isinstance(y, list | tuple) and any(_is_names(row) for row in y):
        raise FitError(
            "y holds several labels a picture as names: give 0 and 1 with a column a class, such as "
            "sklearn.preprocessing.MultiLabelBinarizer().fit_transform(y)."
        )
    try:
        given: Any = y
        array: npt.NDArray[Any] = given.toarray() if sparse.issparse(y) else np.asarray(y)
    except ValueError:  # rows of several lengths: what is wrong with them is said where labels are read
        return None
    if array.ndim != 2 or array.shape[-1] < 2 or type_of_target(array) != "multilabel-indicator":
        return None
    return array


def _is_names(row: Any) -> bool:
    return isinstance(row, list | tuple | set | frozenset) and any(isinstance(one, str) for one in row)


def _column_names(y: Any, n: int) -> list[str]:
    """The names of a DataFrame's columns; else their numbers, all of one length, so that they sort as they stand."""
    named = [label_text(name) for name in getattr(y, "columns", ())]
    if None not in named and len(set(named)) == n:
        return [str(name) for name in named]
    width = len(str(n - 1))
    return [f"{c:0{width}}" for c in range(n)]


def _labels(y: Any) -> npt.NDArray[Any]:
    if y is None:
        raise FitError("fit requires y to be passed, but the target y is None: give one label a picture.")
    labels: npt.NDArray[Any] = column_or_1d(y, warn=True)
    if labels.dtype.kind in "fc":
        assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    return labels


def _names(classes: npt.NDArray[Any]) -> list[str]:
    """The classes as the model's text, each its own."""
    names = [label_text(value) for value in classes.tolist()]
    if None in names:
        raise FitError("A label in y is empty: give every picture a class, or leave it out of X and y.")
    kept = [name for name in names if name is not None]
    for place, name in enumerate(kept):
        if name in kept[:place]:
            raise FitError(f"Two labels in y are both written '{name}': make them one, or tell them apart.")
    return kept
