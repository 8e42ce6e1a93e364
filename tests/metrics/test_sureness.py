"""An answer is called sure only where judged answers like it were right often enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from winnow.metrics.curves import ThresholdRow, threshold_table
from winnow.metrics.sureness import LEAST, sure_from


def answers(confidence: list[float], is_right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Two classes; the first is answered with this confidence (above one half), and is the truth where it is right."""
    first = np.array(confidence)
    return np.stack([first, 1 - first], axis=1), np.where(is_right, 0, 1)


def threshold(confidence: list[float], is_right: list[bool]) -> float | None:
    probs, labels = answers(confidence, is_right)
    return sure_from(threshold_table(probs, labels), len(labels))


def test_a_model_that_is_always_right_is_sure_of_what_it_gives_three_in_four():
    assert threshold([0.9] * 100, [True] * 100) == LEAST


def test_twenty_eight_right_answers_are_too_few_to_tell_and_twenty_nine_are_enough():
    assert 0.9**28 > 0.05 > 0.9**29
    assert threshold([0.9] * 28, [True] * 28) is None
    assert threshold([0.9] * 29, [True] * 29) == LEAST


@pytest.mark.parametrize("n", [29, 60, 500, 20_000])
def test_as_many_may_be_wrong_as_the_exact_binomial_test_allows(n: int):
    most = int(binom.ppf(0.05, n, 0.1))
    allowed = most if binom.cdf(most, n, 0.1) <= 0.05 else most - 1
    row = ThresholdRow(threshold=0.8, coverage=1.0, accuracy=(n - allowed) / n, precision=None, recall=1.0)
    assert sure_from([row], n) == 0.8
    assert sure_from([replace(row, accuracy=(n - allowed - 1) / n)], n) is None


def test_answers_that_are_right_half_of_the_time_are_never_sure():
    assert threshold([0.8] * 100, [True, False] * 50) is None


def test_doubtful_answers_stay_below_the_threshold():
    # 100 sure ones are right; of 100 at 80 % every other one is wrong.
    found = threshold([0.95] * 100 + [0.8] * 100, [True] * 100 + [True, False] * 50)
    assert found == pytest.approx(0.81)


def test_the_threshold_keeps_its_promise_on_new_pictures_nineteen_times_in_twenty():
    rng = np.random.default_rng(0)
    broken = 0
    for _ in range(300):
        confidence = rng.uniform(0.5, 1, 400)
        is_right = rng.random(400) < 2 * confidence - 0.9  # too sure of itself: a steep rise of the truth
        found = threshold(confidence.tolist(), is_right.tolist())
        if found is not None:
            beyond = np.linspace(found, 1, 1001)
            broken += np.clip(2 * beyond - 0.9, 0, 1).mean() < 0.9
    assert broken / 300 < 0.05
