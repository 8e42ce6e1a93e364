"""The scores where a picture has one class: one family, one line a metric, each with its interval.

Where a class has no example in what is judged, means over classes run over the classes that have one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.metric import Metric
from winnow.metrics.predictions import Predictions
from winnow.metrics.weighted import Weighted, mean_over_classes


def _accuracy(w: Weighted[Predictions]) -> NDArray[np.float64]:
    return w.hits.sum(axis=0) / w.totals


_ALL: tuple[Metric[Predictions], ...] = (
    Metric(
        "accuracy",
        "accuracy",
        "share of pictures answered right",
        "It is right on {score} of pictures it had not seen",
        _accuracy,
        "share",
    ),
    Metric(
        "balanced_accuracy",
        "balanced accuracy",
        "share answered right, every class counting the same",
        "It is right on {score} of pictures it had not seen, every class counting the same",
        lambda w: mean_over_classes(w.recall),
        "mean_over_classes",
    ),
    Metric(
        "macro_f1",
        "macro F1",
        "finding a class and not calling it falsely, every class counting the same",
        "It scores {score} at finding a class and not calling it falsely, on pictures it had not seen",
        lambda w: mean_over_classes(w.f1),
        "mean_over_classes",
    ),
    # With one answer a picture, every false call is also a miss: micro F1 is accuracy.
    Metric(
        "micro_f1",
        "micro F1",
        "finding a class and not calling it falsely, every picture counting the same",
        "It scores {score} at finding classes and not calling them falsely, on pictures it had not seen",
        _accuracy,
        "share",
    ),
    Metric(
        "log_loss",
        "log loss",
        "surprise at the true class (0 is none)",
        "Its surprise at the true class of pictures it had not seen is {score}, where 0 is best",
        lambda w: w.losses,
        "lopsided_mean",
        higher_is_better=False,
    ),
    Metric(
        "macro_auroc",
        "macro AUROC",
        "how often a picture of a class ranks above one of another class",
        "It ranks a picture of a class above one of another class {score} of the time, on pictures it had not seen",
        lambda w: mean_over_classes(w.areas[0]),
        "mean_over_classes",
    ),
    Metric(
        "macro_average_precision",
        "macro average precision",
        "share of true finds at every depth of a class's ranking",
        "When it lists the likeliest pictures of a class first, {score} of the finds are true on average, "
        "on pictures it had not seen",
        lambda w: mean_over_classes(w.areas[1]),
        "mean_over_classes",
    ),
    Metric(
        "expected_calibration_error",
        "expected calibration error",
        "distance between how sure it is and how often it is right",
        "How sure it is lies {score} from how often it is right, on pictures it had not seen",
        lambda w: np.abs(w.calibration_gaps).sum(axis=0),
        "calibration",
        higher_is_better=False,
    ),
)

METRICS: dict[str, Metric[Predictions]] = {metric.name: metric for metric in _ALL}
