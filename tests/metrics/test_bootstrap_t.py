"""The interval of a mean of lopsided values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from winnow.metrics.bootstrap_t import mean_interval
from winnow.metrics.resamples import make_resamples


def test_it_agrees_with_students_interval_where_values_are_normal():
    values = np.random.default_rng(0).normal(5, 1, 200)
    interval = mean_interval(values, make_resamples(np.arange(200), draws=4000), top=100)
    low, high = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.02)


def test_it_holds_the_mean_of_lopsided_values_95_percent_of_the_time():
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(300):
        interval = mean_interval(
            rng.exponential(size=100), make_resamples(np.arange(100), draws=300, seed=seed), top=1e9
        )
        held += interval.low <= 1 <= interval.high
    assert 0.93 <= held / 300 <= 0.97


def test_copies_of_each_value_in_one_cluster_add_no_certainty():
    values = np.random.default_rng(0).exponential(size=60)
    alone = mean_interval(values, make_resamples(np.arange(60)), top=10)
    copied = mean_interval(np.tile(values, 3), make_resamples(np.tile(np.arange(60), 3)), top=10)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_equal_values_may_have_missed_others():
    few = mean_interval(np.full(5, 0.1), make_resamples(np.arange(5)), top=10)
    many = mean_interval(np.full(500, 0.1), make_resamples(np.arange(500)), top=10)
    assert few.value == pytest.approx(many.value)
    assert few.high > many.high > 0.1
    assert 0 <= few.low < many.low < 0.1


def test_one_example_may_be_worth_anything():
    interval = mean_interval(np.array([0.3]), make_resamples([0]), top=36.0)
    assert (interval.value, interval.low, interval.high) == (0.3, 0.0, 36.0)
