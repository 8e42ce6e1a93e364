"""Is one rung better than another, or only luckier?"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from winnow.ladder.evidence import Comparisons, Judged, compare_all
from winnow.metrics.resamples import make_resamples


@cache
def _shares_drawn(n: int, draws: int) -> NDArray[np.float64]:
    return make_resamples(np.arange(n), draws=draws, seed=3).weights / n


def _judge(right: NDArray[np.float64], draws: int = 300) -> list[Judged]:
    """(n, rungs) of 1 for right and 0 for wrong, or of other scores, to judged rungs."""
    drawn = (_shares_drawn(len(right), draws) @ right).T
    return [Judged(f"rung {r}", float(right[:, r].mean()), drawn[r]) for r in range(right.shape[1])]


def _scores_of_equally_good_rungs(n: int, rungs: int, seed: int) -> NDArray[np.float64]:
    """(n, rungs) standard normal scores that agree in part: some pictures are hard for every rung."""
    rng = np.random.default_rng(seed)
    return np.sqrt(0.6) * rng.normal(size=(n, 1)) + np.sqrt(0.4) * rng.normal(size=(n, rungs))


def _calls_any_different(comparisons: Comparisons) -> bool:
    R = len(comparisons.rungs)
    return any(comparisons.is_better(i, j) for i in range(R) for j in range(R) if i != j)


@pytest.mark.parametrize(("n", "rungs"), [(50, 2), (200, 2), (1000, 2), (200, 5), (50, 12)])
def test_equally_accurate_rungs_are_called_different_in_at_most_5_percent_of_500_climbs(n: int, rungs: int):
    false_calls = 0
    for climb in range(500):
        right = (_scores_of_equally_good_rungs(n, rungs, climb) < 1.28).astype(np.float64)
        false_calls += _calls_any_different(compare_all(_judge(right, draws=200), n, is_counting=True))
    assert false_calls <= 25


@pytest.mark.parametrize(("n", "rungs"), [(50, 5), (300, 2)])
def test_rungs_of_equal_log_loss_are_called_different_in_at_most_5_percent_of_500_climbs(n: int, rungs: int):
    false_calls = 0
    for climb in range(500):
        losses = np.exp(1.2 * _scores_of_equally_good_rungs(n, rungs, climb) - 1.5)
        false_calls += _calls_any_different(compare_all(_judge(-losses, draws=200), n, is_counting=False))
    assert false_calls <= 25


def test_a_real_difference_is_found():
    found = 0
    for climb in range(100):
        scores = _scores_of_equally_good_rungs(1000, 5, climb)
        right = (scores < [1.28, 1.28, 1.28, 1.28, 1.75]).astype(np.float64)  # 90 % and 96 %
        comparisons = compare_all(_judge(right, draws=200), 1000, is_counting=True)
        found += all(comparisons.is_better(4, j) for j in range(4))
    assert found >= 90


def test_a_gain_is_the_difference_and_turns_its_sign_with_the_order():
    right = np.zeros((100, 2))
    right[:80, 0] = 1
    right[:90, 1] = 1
    comparisons = compare_all(_judge(right), 100, is_counting=True)
    gain, loss = comparisons.gain(1, 0), comparisons.gain(0, 1)
    assert gain is not None
    assert loss is not None
    assert gain.value == pytest.approx(0.1)
    assert (loss.low, loss.value, loss.high) == pytest.approx((-gain.high, -gain.value, -gain.low))
    assert comparisons.is_better(1, 0)
    assert not comparisons.is_better(0, 1)


def test_for_one_pair_of_counts_it_decides_as_mcnemars_test_does():
    # b pictures only the second rung knows, c only the first: McNemar with Edwards' correction asks whether
    # (|b - c| - 1) / sqrt(b + c) exceeds 1.96.
    for b, c in ((5, 0), (12, 1), (20, 4), (9, 6), (30, 14)):
        right = np.zeros((400, 2))
        right[:300] = 1
        right[300 : 300 + b, 1] = 1
        right[350 : 350 + c, 0] = 1
        comparisons = compare_all(_judge(right, draws=2000), 400, is_counting=True)
        assert comparisons.is_better(1, 0) == ((b - c - 1) / np.sqrt(b + c) > 1.96)


def test_three_lucky_pictures_prove_nothing():
    right = np.array([[0.0, 1.0]] * 3)
    assert not compare_all(_judge(right), 3, is_counting=True).is_better(1, 0)
    assert not compare_all(_judge(right), 3, is_counting=False).is_better(1, 0)


def test_more_rungs_make_every_claim_wider():
    right = (_scores_of_equally_good_rungs(300, 8, 0) < 1.28).astype(np.float64)
    two = compare_all(_judge(right[:, :2]), 300, is_counting=True)
    eight = compare_all(_judge(right), 300, is_counting=True)
    assert eight.critical > two.critical


def test_rungs_that_answer_alike_differ_by_nothing():
    right = np.ones((50, 1)).repeat(3, axis=1)
    gain = compare_all(_judge(right), 50, is_counting=True).gain(2, 0)
    assert gain is not None
    assert (gain.low, gain.value, gain.high) == pytest.approx((-1 / 50, 0, 1 / 50))


def test_an_undefined_score_is_compared_with_nothing():
    judged = [*_judge(np.random.default_rng(0).normal(size=(60, 2))), Judged("odd", np.nan, np.full(300, np.nan))]
    comparisons = compare_all(judged, 60, is_counting=False)
    assert comparisons.gain(2, 0) is None
    assert not comparisons.is_better(2, 0)
    assert not comparisons.is_better(0, 2)
    assert comparisons.gain(1, 0) is not None
    assert comparisons.critical < 3


def test_one_rung_is_compared_with_nothing_and_rungs_of_other_draws_are_refused():
    assert compare_all(_judge(np.ones((9, 1))), 9, is_counting=True).rungs == ("rung 0",)
    with pytest.raises(ValueError, match="same draws"):
        compare_all([Judged("a", 0.5, np.zeros(10)), Judged("b", 0.5, np.zeros(20))], 9, is_counting=True)
