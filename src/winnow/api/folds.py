"""Folds of a dataset, for cross-validation outside of a climb."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.data.manifest import Manifest
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.splits import clusters, repeated_folds


def folds_of(manifest: Manifest, k: int, repeats: int, seed: int) -> NDArray[np.int64]:
    """(repeats, N) the fold of each row; -1 where it has no label or lies in the test split.

    Raises:
        UserError: fewer than 2 folds, more than there are independent pictures, or no repeat.
    """
    examples = manifest.examples()
    places = np.array([i for i, e in enumerate(examples) if e.labels is not None and e.split != "test"], dtype=np.int64)
    dealt = [examples[place] for place in places]
    has = np.array([[name in (example.labels or ()) for name in manifest.classes] for example in dealt])
    together = clusters(
        [example.pixels for example in dealt],
        [example.group for example in dealt],
        near_duplicate_pairs([example.phash for example in dealt]).pairs,
    )
    by = has.argmax(1) if len(has) and (has.sum(1) == 1).all() else has
    folds = np.full((max(repeats, 1), len(examples)), -1, dtype=np.int64)
    folds[:, places] = repeated_folds(by, together, k, repeats, seed)
    return folds
