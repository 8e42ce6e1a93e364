"""Who judges whom: out of fold on small sets, by a validation split on large ones; nobody is judged by what saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from winnow.data.manifest import Example
from winnow.data.splits import folds as make_folds
from winnow.data.splits import holdout as make_holdout
from winnow.errors import BadDataError
from winnow.metrics.resamples import Resamples, make_resamples

Places = npt.NDArray[np.int64]

FOLDS = 5
MOST_OUT_OF_FOLD = 6000
"""Up to here every example is judged out of fold; beyond, a validation split of thousands is sure enough and five
times cheaper."""
VALIDATION_SHARE = 0.2
MOST_VALIDATION = 10_000
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Part:
    """One round of judging: learn from `train`, answer for `judged` (positions among the examples)."""

    train: Places
    judged: Places


Rounds = tuple[list[Part], str]
"""The rounds, and what they are in words."""


@dataclass(frozen=True)
class Judging:
    """The rounds of judging, and what all of them together judge."""

    parts: list[Part]
    by: str
    """In words: "5-fold out-of-fold predictions" or "a validation split"."""
    balanced_by: npt.NDArray[np.int64]
    """(N,) class ids, or (N, C) 0 and 1: what every part shall hold its share of."""
    clusters: Places
    """(N,) which examples belong together."""
    seed: int

    @cached_property
    def judged(self) -> Places:
        """(n_judged,) positions of the examples that every candidate is judged on, in order."""
        return np.sort(np.concatenate([part.judged for part in self.parts]))

    @cached_property
    def resamples(self) -> Resamples:
        """Bootstrap draws of the judged examples, the same for every candidate."""
        return make_resamples(self.clusters[self.judged], draws=DRAWS, seed=self.seed)

    @property
    def is_out_of_fold(self) -> bool:
        """Whether every example is judged by a model that did not learn from it (else: a validation split)."""
        return len(self.parts) > 1

    @cached_property
    def halves(self) -> Places:
        """(n_judged,) two halves of the judged examples, balanced and in whole clusters: each calibrates the other."""
        return make_folds(self.balanced_by[self.judged], self.resamples.clusters, 2, self.seed)

    @cached_property
    def groups(self) -> Places:
        """(n_judged,) the fold of each judged example; its half where there is only one part."""
        if not self.is_out_of_fold:
            return self.halves
        group_of = np.zeros(len(self.clusters), dtype=np.int64)
        for group, part in enumerate(self.parts):
            group_of[part.judged] = group
        return group_of[self.judged]


def by_the_users_split(examples: Sequence[Example], clusters: Places) -> Rounds | None:
    """The user's validation split judges; None if there is none.

    Raises:
        BadDataError: it holds too little to judge by.
    """
    given = np.array([example.split == "validation" for example in examples])
    if not given.any() or given.all():
        return None
    if len(np.unique(clusters[given])) < 2:
        raise BadDataError(
            "Your validation split holds a single picture, or a single group: nothing can be judged by it. Put "
            "more pictures into it, or import without one; then methods are judged by cross-validation."
        )
    everyone = np.arange(len(given))
    return [Part(everyone[~given], everyone[given])], "your validation split"


def by_a_split(balanced_by: npt.NDArray[np.int64], clusters: Places, seed: int) -> Rounds:
    """A validation split of our own judges: a fifth of every class, at most `MOST_VALIDATION` in all."""
    n = len(balanced_by)
    held_out = make_holdout(balanced_by, clusters, min(VALIDATION_SHARE, MOST_VALIDATION / n), seed)
    everyone = np.arange(n)
    return [Part(everyone[~held_out], everyone[held_out])], "a validation split"


def out_of_fold(balanced_by: npt.NDArray[np.int64], clusters: Places, places: Places, most: int, seed: int) -> Rounds:
    """Every example at `places` is judged by what was learned without it, its copies and its group.

    Args:
        balanced_by: (N,) class ids, or (N, C) 0 and 1.
        clusters: (N,) which examples belong together.
        places: of the examples to be judged; the others are only learned from.
        most: folds; few patients or videos, however many pictures of each, make fewer.
        seed: of the folds.

    Raises:
        BadDataError: all of them belong together.
    """
    n_clusters = len(np.unique(clusters[places]))
    if n_clusters < 2:
        raise BadDataError(
            "All pictures are copies of one picture or belong to one group, so none could judge what is learned "
            "from the others. Add pictures that are independent of these."
        )
    k = int(np.clip(most, 2, min(FOLDS, n_clusters)))
    fold_of = make_folds(balanced_by[places], clusters[places], k, seed)
    everyone = np.arange(len(clusters))
    parts: list[Part] = []
    for fold in range(k):
        judged = places[fold_of == fold]
        if len(judged):
            # Nor is what is never judged learned from while another of its group is judged.
            is_theirs = np.isin(clusters, clusters[judged])
            parts.append(Part(everyone[~is_theirs], judged))
    return parts, f"{k}-fold out-of-fold predictions"
