"""Multi-label classification bound to the examples of one dataset version: what a rung works on and is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from winnow.data.manifest import Example
from winnow.errors import BadDataError
from winnow.metrics.measure import interval_and_replicates
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.tasks import judging
from winnow.tasks.judging import Judging
from winnow.tasks.multilabel.thresholds import best_f1_thresholds, cross_fitted_calls
from winnow.tasks.pictures import PictureProblem
from winnow.tasks.rung import Baseline, Judged, judged_as

Marks = npt.NDArray[np.uint8]

BASELINE = Baseline("base-rates", "how common each class is")


@dataclass
class MultilabelProblem(PictureProblem):
    """Pictures that show any number of classes.

    Raises:
        BadDataError: no class is shown by two pictures and absent from two: nothing could be judged.
    """

    def __post_init__(self) -> None:
        shown = self.labels.sum(axis=0, dtype=np.int64)
        if not ((shown >= 2) & (len(self.labels) - shown >= 2)).any():
            raise BadDataError(
                "A model can be judged only if at least one class is shown by two pictures or more and is absent from "
                f"two or more; here none of {len(self.classes)} is. Add pictures, then train again."
            )
        self.judging = self._plan()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names in alphabetical order; a column of `labels` each."""
        return tuple(sorted({name for example in self.examples for name in example.labels or ()}))

    @cached_property
    def labels(self) -> Marks:
        """(N, C) 1 where the picture shows the class, else 0."""
        return marks_of(self.examples, self.classes)

    @property
    def baseline(self) -> Baseline:
        """Always the share of pictures that show each class."""
        return BASELINE

    def judge(self, predictions: npt.NDArray[np.float32]) -> Judged | None:
        """The optimised metric of probabilities (n_judged, C); None where it is undefined for these labels.

        What is called in a fold is decided by thresholds chosen on the others.
        """
        seen = MultilabelPredictions(predictions, self.labels[self.judged], self.calls(predictions))
        measured = interval_and_replicates(self.metric, seen, self.resamples)
        return None if measured is None else judged_as(self.metric, *measured)

    def calls(self, predictions: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """(n_judged, C) which classes are called, an example's own fold having no say in the thresholds."""
        return cross_fitted_calls(predictions, self.labels[self.judged], self.judging.groups)

    def thresholds(self, predictions: npt.NDArray[np.float32]) -> tuple[float, ...]:
        """(C,) from which probability on a finished model calls each class: chosen on all judged examples."""
        chosen = best_f1_thresholds(predictions, self.labels[self.judged])
        return tuple(round(one, 6) for one in chosen.tolist())

    def _plan(self) -> Judging:
        """How candidates are judged: the user's validation split, else out of fold, else a split of our own."""
        balanced_by, clusters = self.labels.astype(np.int64), self.clusters
        rounds = judging.by_the_users_split(self.examples, clusters)
        if rounds is None and len(clusters) > judging.MOST_OUT_OF_FOLD:
            rounds = judging.by_a_split(balanced_by, clusters, self.seed)
        if rounds is None:
            # Every picture is judged: one that shows a class's only example shows others, or their absence, too.
            everyone = np.arange(len(clusters))
            rounds = judging.out_of_fold(balanced_by, clusters, everyone, judging.FOLDS, self.seed)
        return Judging(*rounds, balanced_by, clusters, self.seed)


def marks_of(examples: Sequence[Example], classes: Sequence[str]) -> Marks:
    """(N, C) 1 where a labelled example shows a class; classes that are not among `classes` are left out."""
    column_of = {name: column for column, name in enumerate(classes)}
    marks = np.zeros((len(examples), len(classes)), dtype=np.uint8)
    for row, example in enumerate(examples):
        for name in example.labels or ():
            if name in column_of:
                marks[row, column_of[name]] = 1
    return marks
