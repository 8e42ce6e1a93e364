"""What a metric is: a name, its words, and one function of weighted predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.weighted import AnyPredictions, Weighted

P = TypeVar("P", bound=AnyPredictions)

Kind = Literal["share", "mean", "pooled", "mean_over_classes", "lopsided_mean", "calibration"]
"""What its interval is made from.

- share: the mean of right (1) or wrong (0) over examples.
- mean: the mean over examples of something in [0, 1].
- pooled: a ratio of counts over all examples together.
- mean_over_classes: a plain mean over classes.
- lopsided_mean: the mean over examples of something most often small and seldom large.
- calibration: a sum of gaps, which chance alone makes larger.
"""


@dataclass(frozen=True, slots=True)
class Metric(Generic[P]):
    """One way to judge predictions.

    A metric is one function of `Weighted`: with weights of 1 it is the score, with those of `Resamples` its
    bootstrap replicates. Which predictions it judges depends on the task: `Predictions` where a picture has one
    class, `MultilabelPredictions` where it may have several.
    """

    name: str
    """In code, commands and JSON."""
    term: str
    """In the field's words."""
    title: str
    """In plain words: what the number is."""
    sentence: str
    """What a model's number says, in plain words; `{score}` stands for the number."""
    of: Callable[[Weighted[P]], NDArray[np.float64]]
    """(B,) the score under each set of weights."""
    kind: Kind
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
        return self.kind != "lopsided_mean"
