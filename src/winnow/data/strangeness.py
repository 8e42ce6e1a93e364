"""How unlike each other different pictures of a set are: what is alike by chance is no copy.

Handwritten digits agree as well as a photograph and its crop do. So how far a picture's copies may stray is a share of
how far the 1 % of random others most like it do (as the cohorts that speaker verification normalises scores with:
Auckenthaler et al., 2000).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.data.threads import BATCH, in_parallel

Rows = NDArray[np.float32]

# So many random others, of which so many may be copies; more, if they agree as only copies do.
_COHORT = 2000
_COPIES = 5
_MORE_COPIES = 40
_AS_COPIES_DO = 0.99

# So many rows times the cohort lie in the processor's cache.
_BLOCK = 128
# A row is folded to so small a part of its width, for a look at its largest values: a power of 2.
_FOLDED = 16


def strangeness(rows: Rows, signs: Rows) -> NDArray[np.float64]:
    """(N,) 1 - the similarity of the random others that are most like each row, its copies aside.

    Args:
        rows: (N, D) of length 1.
        signs: (D,) 1 or -1: a row times these is its mirror image, which counts as well.
    """
    # A row and its mirror image agree in the even waves and differ in the sign of the odd ones: two products with half
    # of the numbers each serve both.
    halves = [signs > 0, signs < 0]
    chosen = rows[np.random.default_rng(0).permutation(len(rows))[:_COHORT]]
    cohort = [np.ascontiguousarray(chosen[:, half].T) for half in halves]

    def likest(start: int) -> Rows:
        blocks = range(start, min(start + BATCH, len(rows)), _BLOCK)
        parts = [[rows[at : at + _BLOCK, half] for half in halves] for at in blocks]
        return np.concatenate([_likest(part, cohort) for part in parts])

    return 1 - np.concatenate(in_parallel(likest, len(rows))).astype(np.float64)


def _likest(block: list[Rows], cohort: list[Rows]) -> Rows:
    likeness, odd = (part @ others for part, others in zip(block, cohort, strict=True))
    likeness += np.abs(odd, out=odd)
    # Each is also compared with itself if it is in the cohort: hence one more.
    enough = min(_COPIES + 1, likeness.shape[1])
    likest = _largest(likeness, enough)
    has_more = np.flatnonzero(likest > _AS_COPIES_DO)
    if len(has_more):
        most = min(enough + _MORE_COPIES, likeness.shape[1])
        nearest_first = -np.sort(-np.partition(likeness[has_more], -most, axis=1)[:, -most:], axis=1)
        copies = (nearest_first > _AS_COPIES_DO).sum(1)
        rank = np.where(copies < most, np.maximum(enough, copies + 1), enough) - 1
        likest[has_more] = nearest_first[np.arange(len(has_more)), rank]
    return likest


def _largest(values: Rows, n: int) -> Rows:
    """The n-th largest of each row."""
    width = values.shape[1] // _FOLDED
    if values.shape[1] % _FOLDED or width < n:
        return np.partition(values, -n, axis=1)[:, -n]
    folded = values
    while folded.shape[1] > width:
        half = folded.shape[1] // 2
        folded = np.maximum(folded[:, :half], folded[:, half:])
    # The n largest of the folded row are n of its values: whatever is less is none of the n largest.
    least = np.partition(folded, -n, axis=1)[:, -n, None]
    places = np.flatnonzero(values >= least)
    rows, left = places // values.shape[1], values.reshape(-1)[places]
    ends = np.cumsum(np.bincount(rows, minlength=len(values)))
    return left[np.lexsort((left, rows))][ends - n]
