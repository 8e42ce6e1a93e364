"""Intervals and verdicts over seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from winnow.metrics.intervals import Interval
from winnow.studies.comparing import compare, mean_interval, mean_line, verdict_of, verdict_on_all


def test_the_interval_is_that_of_students_t_test():
    values = [0.3, 0.1, 0.25, 0.4]
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    interval = mean_interval(values)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.value == pytest.approx(np.mean(values))


def test_intervals_of_three_seeds_hold_the_true_mean_95_times_in_100():
    draws = np.random.default_rng(0).normal(1.0, 2.0, (2000, 3))
    intervals = [mean_interval(row.tolist()) for row in draws]
    assert np.mean([one.low <= 1.0 <= one.high for one in intervals]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("low", "high", "at_least", "verdict"),
    [
        (0.1, 0.3, 0.0, "holds"),
        (-0.3, -0.1, 0.0, "does not hold"),
        (-0.1, 0.3, 0.0, "not decided by this much data"),
        (0.1, 0.3, 0.4, "does not hold"),
        (0.0, 0.0, 0.0, "does not hold"),
    ],
)
def test_a_claim_is_judged_by_the_whole_interval(low: float, high: float, at_least: float, verdict: str):
    assert verdict_of(Interval((low + high) / 2, low, high), at_least) == verdict


def test_a_claim_of_several_parts_holds_if_all_do_and_fails_if_one_does():
    yes, no, open_ = (compare("it", values) for values in ((1, 1.1), (-1, -1.1), (-1, 1.2)))
    assert verdict_on_all([yes, yes]) == "holds"
    assert verdict_on_all([yes, open_]) == "not decided by this much data"
    assert verdict_on_all([yes, open_, no]) == "does not hold"


def test_a_line_on_a_logarithmic_axis_has_geometric_means():
    line = mean_line("loss", [1, 2], [[1.0, 10.0], [100.0, 10.0]], is_log=True)
    assert line.ys == pytest.approx((10.0, 10.0))
    assert line.lows[1] == pytest.approx(line.highs[1])
