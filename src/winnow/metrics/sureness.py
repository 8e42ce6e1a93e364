"""From which probability on an answer may be called sure, by what judged answers of that kind were worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from winnow.metrics.curves import ThresholdRow

RIGHT = 0.9
"""Sure answers shall be right at least this often."""
LEAST = 0.75
"""An answer that by its own calibrated probability is wrong more than 1 time in 4 is not sure, however right those are
that are surer: among two classes every answer has a probability of one half at least."""
_RISK = 0.05
"""How often the threshold may be wrong: 1 time in 20."""


def sure_from(rows: Sequence[ThresholdRow], n: int, *, right: float = RIGHT) -> float | None:
    """The lowest probability from which on the judged answers were right often enough, noise of the count included.

    Thresholds are tried from the strictest down, from the first with enough answers to tell (29, for 9 in 10), and the
    search stops at the first where answers that are right less often than `right` would have done as well by luck 1
    time in 20 (exact binomial test). So the threshold holds 19 times in 20 although many were looked at. That is for
    pictures that are independent and of the same kind: copies of one picture count as often as they are there.

    Args:
        rows: what each threshold would do (`threshold_table`), rising.
        n: pictures judged.
        right: how often sure answers shall be right, in (0, 1).

    Returns:
        A threshold in [`LEAST`, 1]; None where no answer can be called sure: too few were judged, or too many wrong.

    Source: fixed-sequence testing as in Angelopoulos et al., Learn then Test, 2021, section 4; the aim is that of
    Geifman and El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017. The test is exact as theirs:
    with the lower end of Wilson's interval the promise broke up to 7.5 times in 100 where few pictures were judged.
    """
    found = None
    for row in reversed(rows):
        n_answered = round(row.coverage * n)
        # So few answers say nothing even if all of them are right.
        if row.accuracy is None or right**n_answered > _RISK:
            continue
        n_wrong = n_answered - round(row.accuracy * n_answered)
        if row.threshold < LEAST or _luck(n_wrong, n_answered, 1 - right) > _RISK:
            break
        found = row.threshold
    return found


def _luck(n_wrong: int, n: int, share_wrong: float) -> float:
    """How often at most so many of n answers are wrong if each is with this probability (the binomial's lower tail)."""
    k = np.arange(1, n_wrong + 1)
    # From one term to the next, in logarithms: the first is too small for a float where there are many answers.
    steps = np.log((n - k + 1) / k) + np.log(share_wrong / (1 - share_wrong))
    terms = n * np.log1p(-share_wrong) + np.concatenate([[0.0], np.cumsum(steps)])
    return float(np.exp(terms).sum())
