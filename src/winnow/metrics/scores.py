"""The scores a classifier is judged by: one family, one line a metric, each with its interval.

Where a class has no example in what is judged, means over classes run over the classes that have one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from winnow.errors import NotFoundError, did_you_mean
from winnow.metrics.bootstrap_t import mean_interval
from winnow.metrics.calibration import calibration_interval
from winnow.metrics.intervals import Interval, examples_behind_mean, ratio_interval, wilson
from winnow.metrics.resamples import Resamples
from winnow.metrics.weighted import Predictions, Weighted, mean_over_classes


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to judge predictions.

    A metric is one function of `Weighted`: with weights of 1 it is the score, with those of `Resamples` its
    bootstrap replicates.
    """

    name: str
    """In code, commands and JSON."""
    term: str
    """In the field's words."""
    title: str
    """In plain words: what the number is."""
    sentence: str
    """What a model's number says, in plain words; `{score}` stands for the number."""
    of: Callable[[Weighted], NDArray[np.float64]]
    """(B,) the score under each set of weights."""
    kind: Literal["share", "mean_over_classes", "log_loss", "calibration"]
    """What its interval is made from (see `interval`)."""
    higher_is_better: bool = True

    @property
    def is_counting(self) -> bool:
        """The mean of right (1) or wrong (0) over examples: comparisons need a continuity correction."""
        return self.kind == "share"

    @property
    def sign(self) -> float:
        """1, or -1 where less is better: `sign` times the score is more the better."""
        return 1.0 if self.higher_is_better else -1.0

    @property
    def is_ratio(self) -> bool:
        """Lies in [0, 1] and reads as a percentage."""
        return self.kind != "log_loss"

    def value(self, probs: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
        """The score itself; NaN where it is undefined.

        Args:
            probs: (N, C) class probabilities; each row sums to 1.
            labels: (N,) true class ids in 0..C-1.

        Raises:
            UserError: the two do not fit together (see `Predictions`).
        """
        return float(self.of(unweighted(Predictions(probs, labels)))[0])

    def resampled(
        self, probs: NDArray[np.floating], labels: NDArray[np.integer], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(B,) the score under each of the B rows of weights (B, N); NaN where it is undefined."""
        return self.of(Weighted(Predictions(probs, labels), weights))


def _accuracy(w: Weighted) -> NDArray[np.float64]:
    return w.hits.sum(axis=0) / w.totals


_ALL = (
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
        "log_loss",
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

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def find_metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        NotFoundError: no metric is called so; the sentence names the nearest.
    """
    if name in METRICS:
        return METRICS[name]
    hint = did_you_mean(name, METRICS, otherwise=f"Known are {', '.join(METRICS)}.")
    raise NotFoundError(f"No metric is called '{name}'. {hint}")


def unweighted(predictions: Predictions) -> Weighted:
    """Predictions as they are: one set of weights, all 1."""
    return Weighted(predictions, np.ones((1, predictions.n)))


def replicates(
    metric: Metric, probs: NDArray[np.floating], labels: NDArray[np.integer], resamples: Resamples
) -> NDArray[np.float64]:
    """(draws,) the score of every bootstrap draw, a chunk at a time; NaN where a draw leaves it undefined.

    Args:
        metric: what to compute.
        probs: (N, C) class probabilities.
        labels: (N,) true class ids.
        resamples: draws of the same N examples.
    """
    predictions = Predictions(probs, labels)
    return np.concatenate([metric.of(Weighted(predictions, weights)) for weights in resamples.chunks()])


def interval(
    metric: Metric,
    probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    resamples: Resamples,
    *,
    level: float = 0.95,
) -> Interval | None:
    """The score and its interval, by the way that suits the metric; None where the score is undefined.

    Shares of independent examples: Wilson. Other scores in [0, 1]: the bootstrap's standard error on the
    logit scale. Log loss: the bootstrap of the studentised mean. Calibration error: corrected for its bias
    (see `calibration_interval` for what it covers).
    """
    predictions = Predictions(probs, labels)
    draws = np.empty(0)
    if needs_draws(metric, resamples):
        chunks = (Weighted(predictions, weights) for weights in resamples.chunks())
        draws = np.concatenate([drawn(metric, chunk) for chunk in chunks], axis=-1)
    return interval_from_draws(metric, predictions, draws, resamples, level=level)


def needs_draws(metric: Metric, resamples: Resamples) -> bool:
    """Whether the interval of a metric is made from what `drawn` gives."""
    return metric.kind != "log_loss" and (metric.kind != "share" or resamples.is_clustered)


def drawn(metric: Metric, chunk: Weighted) -> NDArray[np.float64]:
    """(..., B) what the interval of a metric needs of some draws: the scores, or the gaps of the bins."""
    return chunk.calibration_gaps if metric.kind == "calibration" else metric.of(chunk)


def interval_from_draws(
    metric: Metric,
    predictions: Predictions,
    draws: NDArray[np.float64],
    resamples: Resamples,
    *,
    level: float = 0.95,
) -> Interval | None:
    """`interval` for draws that are at hand.

    Args:
        metric: what was measured.
        predictions: of the N examples.
        draws: (..., B) what `drawn` gave, chunks joined; not used where `needs_draws` says so.
        resamples: where the draws come from.
        level: how often the interval shall hold the true score.
    """
    if metric.kind == "calibration":
        return calibration_interval(predictions, draws, level)
    if metric.kind == "log_loss":
        top = -math.log(predictions.smallest_prob)
        return mean_interval(predictions.losses, resamples, top=top, level=level)
    value = float(metric.of(unweighted(predictions))[0])
    if metric.kind == "share" and not resamples.is_clustered:
        return wilson(value * predictions.n, predictions.n, level)
    n = float(predictions.n)
    if metric.kind == "mean_over_classes":
        n = examples_behind_mean(predictions.counts)
    # Examples of one cluster may be worth no more than one.
    return ratio_interval(value, draws, n * resamples.n_clusters / resamples.n, level)
