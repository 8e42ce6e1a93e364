"""Classification bound to the examples of one dataset version: what a rung works on and is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from winnow.errors import BadDataError
from winnow.metrics.measure import interval_and_replicates
from winnow.metrics.predictions import Predictions
from winnow.tasks import judging
from winnow.tasks.judging import Judging
from winnow.tasks.pictures import PictureProblem
from winnow.tasks.rung import Baseline, Judged, judged_as

Labels = npt.NDArray[np.int64]

BASELINE = Baseline("commonest-class", "the commonest class")


@dataclass
class ClassifyProblem(PictureProblem):
    """Pictures of one class each.

    Raises:
        BadDataError: fewer than two classes have two pictures: nothing could be judged.
    """

    def __post_init__(self) -> None:
        counts = np.bincount(self.labels)
        if len(counts) == 1:
            raise BadDataError(
                f"All pictures to learn from are of one class ('{self.classes[0]}'): at least two classes are needed, "
                "with two pictures each. Add pictures, then train again."
            )
        if (counts >= 2).sum() < 2:
            raise BadDataError(
                "A model can be judged only if at least two classes have two pictures or more to learn from; "
                f"here {int((counts >= 2).sum())} of {len(counts)} has. Add pictures, then train again."
            )
        self.judging = self._plan(counts)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names in alphabetical order; a class id is a place in here."""
        return tuple(sorted({str(example.label) for example in self.examples}))

    @cached_property
    def labels(self) -> Labels:
        """(N,) class ids."""
        ids = {name: place for place, name in enumerate(self.classes)}
        return np.array([ids[str(example.label)] for example in self.examples], dtype=np.int64)

    @property
    def baseline(self) -> Baseline:
        """Always the commonest class."""
        return BASELINE

    @property
    def is_balanced(self) -> bool:
        """Whether rungs should weigh classes equally, because the optimised metric does."""
        return self.metric.name in ("balanced_accuracy", "macro_f1")

    def judge(self, predictions: npt.NDArray[np.float32]) -> Judged | None:
        """The optimised metric of probabilities (n_judged, C); None where it is undefined for these labels."""
        seen = Predictions(predictions, self.labels[self.judged])
        measured = interval_and_replicates(self.metric, seen, self.resamples)
        return None if measured is None else judged_as(self.metric, *measured)

    def _plan(self, counts: Labels) -> Judging:
        """How candidates are judged: the user's validation split, else out of fold, else a split of our own."""
        labels, clusters = self.labels, self.clusters
        rounds = judging.by_the_users_split(self.examples, clusters)
        if rounds is None and len(labels) > judging.MOST_OUT_OF_FOLD:
            rounds = judging.by_a_split(labels, clusters, self.seed)
        if rounds is None:
            # A class's only picture is never judged: nobody could have learned its class.
            places = np.flatnonzero(counts[labels] >= 2)
            rounds = judging.out_of_fold(labels, clusters, places, int(counts[counts >= 2].min()), self.seed)
        return Judging(*rounds, labels, clusters, self.seed)
