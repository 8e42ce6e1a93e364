"""Fewer examples with the same class shares, for methods whose cost grows faster than the data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedShuffleSplit

from winnow.tasks.classify.heads.head import Labels


def stratified_subsample(labels: Labels, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Sorted positions of at most `most` examples with the class shares of all; all if they are no more than that."""
    if len(labels) <= most:
        return np.arange(len(labels))
    if np.bincount(labels).min() < 2 or most < labels.max() + 1:  # too few to stratify
        return np.sort(np.random.default_rng(seed).permutation(len(labels))[:most])
    splitter = StratifiedShuffleSplit(n_splits=1, train_size=most, random_state=seed)
    return np.sort(next(splitter.split(np.zeros(len(labels)), labels))[0])
