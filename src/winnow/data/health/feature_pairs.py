"""Near-duplicates by a network's features: it also recognises what a hash does not, such as a mirrored picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.data.health.subject import Pair

MOST = 10_000
"""Every picture is compared with every other: beyond this many that takes too long."""
ALIKE = 0.95
"""Cosine of centred features. Mirrored, dimmed (x 0.7) and brightened (x 1.3) copies of 180 photographs had medians of
0.93 to 0.98; of strangers in cats-dogs the nearest were at 0.78 or below for 99.5 % (EdgeTPU features, 160 px)."""
STANDS_OUT = 7
"""Where all pictures are alike, such as digits, strangers come near each other, too: a pair has to be so many times
nearer than most pictures are to their nearest other one. With the embedded backbone 0.95 alone pairs 65 times among 800
different digits of MNIST, this 3 times; on photographs (cats-dogs, CIFAR-10) it changes nothing."""
_LOOKED_AT, _LEAST = 500, 200
"""How many pictures say what is usual, and from how many on they can."""
_BLOCK = 1024


def feature_pairs(rows: NDArray[np.float32]) -> list[Pair]:
    """Pairs of pictures whose features point the same way, once the mean of all is taken off.

    Args:
        rows: (N, D) features.
    """
    centred = rows - rows.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    units = centred / np.maximum(lengths, 1e-12)
    least = _least_cosine(units)
    pairs: list[Pair] = []
    for start in range(0, len(units), _BLOCK):
        cosines = units[start : start + _BLOCK] @ units[start:].T
        for one, other in np.argwhere(np.triu(cosines >= least, 1)).tolist():
            pairs.append(Pair(start + one, start + other, min(float(cosines[one, other]), 1.0), "features"))
    return pairs


def _least_cosine(units: NDArray[np.float32]) -> float:
    """From which cosine on two pictures count as alike among these."""
    if len(units) < _LEAST:
        return ALIKE
    some = np.unique(np.linspace(0, len(units) - 1, _LOOKED_AT).astype(np.int64))
    cosines = units[some] @ units.T
    cosines[np.arange(len(some)), some] = -1.0
    usual = float(np.median(cosines.max(axis=1)))
    return max(ALIKE, 1 - max(1 - usual, 0.0) / STANDS_OUT)
