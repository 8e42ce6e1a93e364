"""Two models on the same pictures: McNemar's exact test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from winnow.metrics.mcnemar import PairedAnswers, paired_answers


def answers(only_a: int, only_b: int) -> PairedAnswers:
    return PairedAnswers(both=7, only_a=only_a, only_b=only_b, neither=5)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (0, 5), (3, 3), (12, 21), (59, 6), (300, 240)])
def test_it_is_the_test_of_a_fair_coin(only_a: int, only_b: int) -> None:
    oracle = binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    assert answers(only_a, only_b).p_value == pytest.approx(oracle, rel=1e-9)


def test_it_is_the_same_whichever_comes_first() -> None:
    assert answers(4, 15).p_value == answers(15, 4).p_value


def test_many_pictures_make_no_number_too_large() -> None:
    assert 0 < answers(20_000, 20_400).p_value < 0.05


def test_what_both_or_neither_got_right_says_nothing() -> None:
    assert PairedAnswers(0, 2, 9, 0).p_value == PairedAnswers(10_000, 2, 9, 10_000).p_value


def test_answers_are_counted_picture_by_picture() -> None:
    a = np.array([True, True, True, False, False, False])
    b = np.array([True, False, False, True, False, False])
    assert paired_answers(a, b) == PairedAnswers(both=1, only_a=2, only_b=1, neither=2)
    assert paired_answers(a, b).n == 6
