"""What an export that computes otherwise than the judged model gains or loses: its score, paired with the model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from winnow.api.judged_pictures import JudgedPictures
from winnow.api.model_exports.model_export import Leaving, Probabilities
from winnow.ladder.evidence import Judged, compare_all
from winnow.metrics.families import DEFAULTS, FAMILIES
from winnow.metrics.intervals import Interval
from winnow.metrics.measure import replicates, value
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.metrics.predictions import Predictions
from winnow.metrics.resamples import make_resamples
from winnow.report.words import gain_with_span, score, term


@dataclass(frozen=True, slots=True)
class Change:
    """The score of the model, that of the export on the same pictures, and their difference.

    Attributes:
        metric: what was measured: what the task is optimised for by default.
        task: "classify" or "multilabel".
        before: of the model as Winnow runs it here.
        after: of the export.
        gain: after minus before with its paired 95 % interval (`winnow.ladder.evidence.compare_all`); below 0 is a
            loss.
        n: pictures.
    """

    metric: str
    task: str
    before: float
    after: float
    gain: Interval
    n: int

    @property
    def is_shown_to_be_worse(self) -> bool:
        """Whether the interval lies below 0."""
        return self.gain.high < 0

    def sentence(self) -> str:
        """In plain words."""
        return (
            f"Its {term(self.metric, self.task)} on {self.n:,} pictures is {score(self.metric, self.after)}, where the "
            f"model itself has {score(self.metric, self.before)}: {gain_with_span(self.metric, self.gain)}."
        )


def change_between(before: Probabilities, after: Probabilities, leaving: Leaving) -> Change | None:
    """How the score changes from answers (N, C) to others; None where nobody says what the pictures show.

    The metric is one of those for which more is better.
    """
    judged = leaving.pictures.judged
    if judged is None:
        return None
    task = leaving.facts.task
    metric = FAMILIES[task][DEFAULTS[task]]
    resamples = make_resamples(judged.clusters)
    seen = [_seen(probs, judged, leaving) for probs in (before, after)]
    old, new = (
        Judged(name, value(metric, one), replicates(metric, one, resamples))
        for name, one in zip(("before", "after"), seen, strict=True)
    )
    gain = compare_all([old, new], resamples.n_clusters, metric.is_counting).gain(1, 0)
    return None if gain is None else Change(metric.name, task, old.value, new.value, gain, len(judged.contents))


def _seen(probs: Probabilities, judged: JudgedPictures, leaving: Leaving) -> Predictions | MultilabelPredictions:
    thresholds = leaving.facts.thresholds
    if thresholds is None:
        return Predictions(probs, judged.truths)
    return MultilabelPredictions(probs, judged.truths, probs >= np.asarray(thresholds))
