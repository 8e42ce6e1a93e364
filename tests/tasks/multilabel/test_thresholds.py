"""From which probability on a class is called: the best F1 where it can be known, caution where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import f1_score

from winnow.tasks.multilabel.thresholds import PRIOR_EXAMPLES, best_f1_thresholds, cross_fitted_calls


def _class(n: int, rate: float, skill: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 1) honest probabilities of a class of this rate, and whether it is shown."""
    rng = np.random.default_rng(seed)
    shown = rng.random(n) < rate
    z = skill * shown + rng.normal(size=n)
    return expit(skill * z - skill**2 / 2 + np.log(rate / (1 - rate)))[:, None], shown.astype(np.uint8)[:, None]


def _best_by_loop(probs: np.ndarray, shown: np.ndarray) -> float:
    return max(f1_score(shown, probs >= t) for t in np.unique(probs)[::4])


def test_of_a_common_class_the_threshold_has_the_best_f1_there_is():
    probs, shown = _class(1200, 0.3)
    best = _best_by_loop(probs, shown)
    (threshold,) = best_f1_thresholds(probs, shown)
    assert f1_score(shown, probs >= threshold) == pytest.approx(best, abs=5e-3)
    # Lipton et al.: the best threshold of honest probabilities is half of the best F1.
    assert threshold == pytest.approx(best / 2, abs=0.06)


def test_of_a_rare_class_the_threshold_is_nearly_what_its_probabilities_say_by_themselves():
    probs, shown = _class(400, 0.01)
    rare = shown.copy()
    rare[:] = 0
    (said,) = best_f1_thresholds(probs, rare)  # no example at all: nothing but the probabilities
    rare[np.argmin(probs)] = 1  # one example, and the unlikeliest
    (threshold,) = best_f1_thresholds(probs, rare)
    assert said == pytest.approx(threshold, abs=0.05)


def test_labels_outweigh_the_probabilities_as_examples_come_in():
    # Modest probabilities: every picture above 0.2 shows the class, and none below.
    probs = np.linspace(0, 0.4, 400)[:, None]
    shown = (probs > 0.2).astype(np.uint8)
    assert best_f1_thresholds(probs, shown) == pytest.approx([0.2], abs=0.01)
    assert shown.sum() > PRIOR_EXAMPLES


def test_a_class_that_is_told_from_no_other_is_called_where_it_is_likelier_than_not():
    noise = np.random.default_rng(0).random(300)
    same = np.full((300, 1), 0.1)
    assert best_f1_thresholds(same, (noise < 0.1).astype(np.uint8)[:, None]) == [0.5]
    assert best_f1_thresholds(1 - same, (noise < 0.9).astype(np.uint8)[:, None]) == [0.5]


def test_thresholds_lie_between_probabilities_and_equals_are_never_torn_apart():
    probs = np.round(_class(500, 0.3)[0], 1)
    shown = _class(500, 0.3)[1]
    (threshold,) = best_f1_thresholds(probs, shown)
    assert threshold not in probs
    assert round(threshold * 20) % 2 == 1  # half-way between two tenths


def test_classes_are_decided_one_by_one():
    one, other = _class(500, 0.3), _class(500, 0.05, seed=1)
    both = np.concatenate([one[0], other[0]], axis=1), np.concatenate([one[1], other[1]], axis=1)
    assert best_f1_thresholds(*both).tolist() == [*best_f1_thresholds(*one), *best_f1_thresholds(*other)]


def test_no_examples_own_group_has_a_say_in_its_calls():
    probs, shown = _class(300, 0.3)
    group_of = np.arange(300) % 3
    before = cross_fitted_calls(probs, shown, group_of)
    changed = shown.copy()
    changed[group_of == 1] = 1 - changed[group_of == 1]
    after = cross_fitted_calls(probs, changed, group_of)
    assert np.array_equal(before[group_of == 1], after[group_of == 1])
    for group in range(3):
        mine = group_of == group
        expected = probs[mine] >= best_f1_thresholds(probs[~mine], shown[~mine])
        assert np.array_equal(before[mine], expected)
