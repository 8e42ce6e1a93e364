"""How sure are we of a score: Wilson's interval, and the intervals of scores in [0, 1]."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from winnow.metrics.intervals import examples_behind_mean, normal_quantile, ratio_interval, wilson


def test_wilson_agrees_with_scipy():
    for right, n in ((0, 5), (3, 7), (188, 200), (50, 50)):
        ours = wilson(right, n)
        theirs = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_twenty_right_of_twenty_is_not_certainty():
    interval = wilson(20, 20)
    assert interval.value == 1
    assert interval.high == 1
    assert 0.8 < interval.low < 0.9


def test_a_share_of_nothing_has_no_interval():
    with pytest.raises(ValueError, match="at least one example"):
        wilson(0, 0)


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_wilson_holds_the_true_accuracy_95_percent_of_the_time(n: int):
    # Exact, no simulation: the probability of every count, over true accuracies from 50 to 98 %.
    counts = np.arange(n + 1)
    intervals = [wilson(float(k), n) for k in counts]
    low = np.array([interval.low for interval in intervals])
    high = np.array([interval.high for interval in intervals])
    truths = np.linspace(0.5, 0.98, 97)
    holds = (low <= truths[:, None]) & (truths[:, None] <= high)
    coverage = (stats.binom.pmf(counts, n, truths[:, None]) * holds).sum(axis=1)
    assert 0.94 < coverage.mean() < 0.96
    assert np.quantile(coverage, 0.05) > 0.92


def test_the_interval_of_a_ratio_is_wilsons_where_the_score_is_a_share():
    rng = np.random.default_rng(0)
    draws = rng.binomial(400, 0.9, 20_000) / 400
    ours, theirs = ratio_interval(0.9, draws, n=400), wilson(360, 400)
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=3e-3)


def test_the_interval_of_a_ratio_stays_within_0_and_1_and_leans_towards_the_middle():
    draws = np.random.default_rng(0).normal(0.98, 0.015, 2000)
    interval = ratio_interval(0.98, draws, n=100)
    assert interval is not None
    assert 0 < interval.low < interval.value < interval.high < 1
    assert interval.value - interval.low > interval.high - interval.value


def test_a_perfect_score_is_as_uncertain_as_its_examples_are_few():
    draws = np.ones(1000)
    few, many = ratio_interval(1.0, draws, n=10), ratio_interval(1.0, draws, n=1000)
    assert few is not None
    assert many is not None
    assert few.low == wilson(10, 10).low
    assert few.low < many.low < 1
    assert many.high == 1


def test_an_undefined_score_has_no_interval():
    assert ratio_interval(math.nan, np.full(100, 0.5), n=50) is None


def test_a_score_that_most_draws_leave_undefined_is_as_uncertain_as_its_examples_are_few():
    draws = np.full(100, np.nan)
    draws[:40] = 0.5
    assert ratio_interval(0.5, draws, n=2) == wilson(1, 2)


def test_a_mean_over_unequal_classes_is_worth_fewer_examples():
    assert examples_behind_mean(np.array([50, 50])) == pytest.approx(100)
    assert examples_behind_mean(np.array([98, 2, 0])) == pytest.approx(4 / (1 / 98 + 1 / 2))
    assert examples_behind_mean(np.array([0, 0])) == 0


def test_95_percent_of_a_normal_lie_within_two_standard_errors_nearly():
    assert normal_quantile(0.95) == pytest.approx(1.959964, abs=1e-6)
