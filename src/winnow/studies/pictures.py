"""What studies learn from: a small array of labelled pictures, some of them put aside for judging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.errors import BadDataError

_JUDGED_ONE_IN = 3
_LEAST_A_CLASS = 6


@dataclass(frozen=True, eq=False)
class StudyPictures:
    """Labelled pictures of one size.

    Attributes:
        name: of where they come from, in words.
        pixels: (N, S, S, C) uint8, C 1 (grey) or 3.
        labels: (N,) class ids, 0..n_classes - 1.
        n_classes: at least 2.
        is_judged: (N,) put aside: nothing learns from them.

    Raises:
        BadDataError: a class has too few pictures to learn from and to judge on.
    """

    name: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    n_classes: int
    is_judged: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for judged in (False, True):
            counts = np.bincount(self.labels[self.is_judged == judged], minlength=self.n_classes)
            least = _LEAST_A_CLASS // 2
            if self.n_classes < 2 or counts.min() < least:
                raise BadDataError(
                    f"A study of {self.name} needs 2 classes or more and {_LEAST_A_CLASS} pictures of each; "
                    "take other pictures, or leave --on away for the embedded digits."
                )

    @property
    def n_channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.pixels.shape[3])

    @property
    def side_px(self) -> int:
        """Of each picture."""
        return int(self.pixels.shape[1])

    def in_words(self) -> str:
        """How many, of what."""
        judged = int(self.is_judged.sum())
        return (
            f"{self.name}: {len(self.labels) - judged:,} pictures of {self.side_px} px and {self.n_classes} classes to "
            f"learn from, {judged:,} others to judge on"
        )


def digits() -> StudyPictures:
    """The embedded 1,797 handwritten digits of 8 px, grey; every third of a class, in the order of the file, is judged.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998, as scikit-learn ships it.
    """
    from sklearn.datasets import load_digits  # a second that `winnow study --list` need not wait

    images, targets = load_digits(return_X_y=True)
    pixels = np.rint(images.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    labels = np.asarray(targets, dtype=np.int64)
    is_judged = np.zeros(len(labels), dtype=np.bool_)
    for label in range(10):
        is_judged[np.flatnonzero(labels == label)[::_JUDGED_ONE_IN]] = True
    return StudyPictures("the embedded digits", pixels, labels, 10, is_judged)
