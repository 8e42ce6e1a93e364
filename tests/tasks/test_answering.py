"""One rule says what is answered and whether it is sure, wherever a model is asked."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.tasks.answering import Said, chosen, is_sure, ranked, said_of

CLASSES = ("cat", "dog", "fox")


def test_the_most_probable_class_is_answered_and_of_equal_ones_the_first():
    assert said_of([0.2, 0.7, 0.1], CLASSES, None) == Said(("dog",), "dog", 0.7)
    assert said_of([0.4, 0.2, 0.4], CLASSES, None) == Said(("cat",), "cat", 0.4)


def test_with_thresholds_all_that_reach_theirs_are_answered_the_likeliest_first():
    assert said_of([0.5, 0.6, 0.9], CLASSES, [0.5, 0.7, 0.1]) == Said(("fox", "cat"), None, None)
    assert said_of([0.5, 0.6, 0.9], CLASSES, [0.5, 0.7, 0.99]) == Said(("cat",), "cat", 0.5)
    assert said_of([0.1, 0.1, 0.1], CLASSES, [0.2, 0.2, 0.2]) == Said((), None, None)


def test_a_probability_on_the_edge_is_compared_in_double_precision():
    prob = float(np.float32(0.1))  # 0.100000001...
    assert chosen([prob], [0.1]) == [0]
    assert chosen([prob], [0.1000000015]) == []


def test_the_order_is_that_of_numpys_stable_sort():
    rng = np.random.default_rng(0)
    for _ in range(100):
        probs = rng.integers(0, 5, 12) / 8  # many are equal
        order = np.argsort(-probs, kind="stable").tolist()
        assert ranked(probs.tolist()) == order
        assert chosen(probs.tolist(), None) == order[:1]
        assert chosen(probs.tolist(), [0.25] * 12) == [place for place in order if probs[place] >= 0.25]


@pytest.mark.parametrize(
    ("labels", "prob", "has_several", "sure_from", "expected"),
    [
        (("cat",), 0.9, False, 0.9, True),
        (("cat",), 0.89, False, 0.9, False),
        (("cat",), 1.0, False, None, False),
        ((), None, False, 0.0, False),
        (("cat", "dog"), None, True, None, True),
        ((), None, True, 0.0, False),
    ],
)
def test_sure_is_what_reaches_the_probability_from_which_on_answers_were_right(
    labels: tuple[str, ...], prob: float | None, has_several: bool, sure_from: float | None, expected: bool
):
    assert is_sure(labels, prob, has_several=has_several, sure_from=sure_from) is expected
