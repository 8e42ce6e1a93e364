"""The scores where a picture may show any number of classes: one family, one line a metric, each with its interval.

Where a class has no example in what is judged, or no counterexample to rank it above, means over classes run over
the others. Precision, recall, F1, subset accuracy and Hamming loss judge what was *called*: the classes whose
probability reaches their threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.metric import Metric
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.metrics.weighted import Weighted, mean_over_classes

_DRAWS_AT_ONCE = 8
"""The pooled ranking holds a number a (picture, class) pair and draw; a few draws at a time keep it in the cache."""

Seen = Weighted[MultilabelPredictions]


def _mean(w: Seen, values: NDArray[np.generic]) -> NDArray[np.float64]:
    """(B,) the mean over examples."""
    return values.astype(np.float64) @ w.columns / w.totals


def _micro_f1(w: Seen) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # 0 / 0: nothing was there and nothing was called
        return 2 * w.hits.sum(axis=0) / (w.truths.sum(axis=0) + w.called.sum(axis=0))


def _micro_average_precision(w: Seen) -> NDArray[np.float64]:
    ranking = w.predictions.pooled_ranking
    if ranking is None:
        return np.full(w.columns.shape[1], np.nan)
    starts = range(0, w.columns.shape[1], _DRAWS_AT_ONCE)
    return np.concatenate([ranking.areas(w.columns[:, start : start + _DRAWS_AT_ONCE])[1] for start in starts])


_ALL: tuple[Metric[MultilabelPredictions], ...] = (
    Metric(
        "macro_average_precision",
        "mAP",
        "share of true finds at every depth of a class's ranking, every class counting the same",
        "When it lists the likeliest pictures of a class first, {score} of the finds are true on average, "
        "on pictures it had not seen",
        lambda w: mean_over_classes(w.areas[1]),
        "mean_over_classes",
    ),
    Metric(
        "micro_average_precision",
        "micro average precision",
        "share of true finds at every depth of one ranking of all classes of all pictures",
        "When it lists its likeliest answers of all classes first, {score} of them are true on average, "
        "on pictures it had not seen",
        _micro_average_precision,
        "pooled",
    ),
    Metric(
        "macro_f1",
        "macro F1",
        "finding a class and not calling it falsely, every class counting the same",
        "It scores {score} at finding a class and not calling it falsely, on pictures it had not seen",
        lambda w: mean_over_classes(w.f1),
        "mean_over_classes",
    ),
    Metric(
        "micro_f1",
        "micro F1",
        "finding classes and not calling them falsely, every label counting the same",
        "It scores {score} at finding classes and not calling them falsely, on pictures it had not seen",
        _micro_f1,
        "pooled",
    ),
    Metric(
        "subset_accuracy",
        "subset accuracy",
        "share of pictures of which all classes are found and none is called falsely",
        "It finds all classes and calls none falsely on {score} of pictures it had not seen",
        lambda w: _mean(w, w.predictions.is_exact),
        "share",
    ),
    Metric(
        "hamming_loss",
        "Hamming loss",
        "share of the yes-or-no answers, one a picture and class, that are wrong",
        "It is wrong on {score} of the yes-or-no questions whether a picture it had not seen shows a class",
        lambda w: _mean(w, w.predictions.wrong_share),
        "mean",
        higher_is_better=False,
    ),
    Metric(
        "macro_auroc",
        "macro AUROC",
        "how often a picture that shows a class ranks above one that does not",
        "It ranks a picture that shows a class above one that does not {score} of the time, "
        "on pictures it had not seen",
        lambda w: mean_over_classes(w.areas[0]),
        "mean_over_classes",
    ),
    Metric(
        "label_ranking_average_precision",
        "label ranking average precision",
        "share of true classes among those ranked as high, picture by picture",
        "When it lists the likeliest classes of a picture first, {score} of those down to a true one are true on "
        "average, on pictures it had not seen",
        lambda w: _mean(w, w.predictions.ranking_precision),
        "mean",
    ),
    Metric(
        "coverage_error",
        "coverage error",
        "how many classes to read, the likeliest first, to have all that a picture shows",
        "Reading its likeliest {score} classes of a picture it had not seen covers, on average, all that it shows",
        lambda w: _mean(w, w.predictions.coverage),
        "lopsided_mean",
        higher_is_better=False,
    ),
    Metric(
        "log_loss",
        "log loss",
        "surprise at what a picture shows and does not show, class by class (0 is none)",
        "Its surprise at what pictures it had not seen show and do not show is {score} a class, where 0 is best",
        lambda w: w.losses,
        "lopsided_mean",
        higher_is_better=False,
    ),
    Metric(
        "expected_calibration_error",
        "expected calibration error",
        "distance between how sure it is of a class and how often the class is there",
        "How sure it is of a class lies {score} from how often the class is there, on pictures it had not seen",
        lambda w: np.abs(w.calibration_gaps).sum(axis=0),
        "calibration",
        higher_is_better=False,
    ),
)

MULTILABEL_METRICS: dict[str, Metric[MultilabelPredictions]] = {metric.name: metric for metric in _ALL}
