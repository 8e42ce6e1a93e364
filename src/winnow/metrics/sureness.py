"""From which probability on an answer may be called sure, by what judged answers of that kind were worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from winnow.metrics.curves import ThresholdRow
from winnow.metrics.intervals import normal_quantile, wilson

RIGHT = 0.9
"""Sure answers shall be right at least this often."""
LEAST = 0.5
"""By its own calibrated probability an answer below this is more likely wrong than right, whatever the others are."""
_LEVEL = 0.9  # of a two-sided interval: its lower end holds 19 times in 20


def sure_from(rows: Sequence[ThresholdRow], n: int, *, right: float = RIGHT) -> float | None:
    """The lowest probability from which on the judged answers were right often enough, noise of the count included.

    Thresholds are tried from the strictest down, from the first with enough answers to tell, and the search stops where
    the lower end of the share of right answers (Wilson) falls below `right`. So the threshold holds 19 times in 20
    although many were looked at. Clusters are not considered: copies of one picture count as often as they are there.

    Args:
        rows: what each threshold would do (`threshold_table`), rising.
        n: pictures judged.
        right: how often sure answers shall be right, in (0, 1).

    Returns:
        A threshold in [`LEAST`, 1]; None where no answer can be called sure: too few were judged, or too many wrong.

    Source: fixed-sequence testing as in Angelopoulos et al., Learn then Test, 2021, section 4; the aim is that of
    Geifman and El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017.
    """
    # So many answers, all of them right, just reach the aim: from fewer nothing can be told.
    fewest = math.ceil(normal_quantile(_LEVEL) ** 2 * right / (1 - right))
    found = None
    for row in reversed(rows):
        n_answered = round(row.coverage * n)
        if row.accuracy is None or n_answered < fewest:
            continue
        if row.threshold < LEAST or wilson(row.accuracy * n_answered, n_answered, _LEVEL).low < right:
            break
        found = row.threshold
    return found
