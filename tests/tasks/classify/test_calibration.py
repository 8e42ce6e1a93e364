"""Settings and temperature are chosen without looking at the example that is judged."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.metrics.calibration import apply_temperature, fit_temperature
from winnow.tasks.classify.calibration import careful_temperature, choose, cross_fitted, log_loss


def _answers(n: int, seed: int = 0, sharpness: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) logits that are right about two times in three, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    return sharpness * (np.eye(3)[labels] + 0.8 * rng.normal(size=(n, 3))), labels


@pytest.mark.parametrize("n", [1, 2, 10, 300])
def test_after_n_right_answers_it_is_as_sure_as_laplace_allows(n: int):
    labels = np.arange(n) % 3
    logits = 4 * np.eye(3)[labels] + 0.1 * np.random.default_rng(0).normal(size=(n, 3))
    confidence = apply_temperature(logits, careful_temperature(logits, labels)).max(axis=1)
    assert confidence.mean() == pytest.approx((n + 1) / (n + 2), abs=1e-9)
    assert apply_temperature(logits, fit_temperature(logits, labels)).max(axis=1).mean() > 0.9999


def test_where_some_answers_are_wrong_the_temperature_is_that_of_least_log_loss():
    logits, labels = _answers(200)
    temperature = careful_temperature(logits, labels)
    assert temperature == fit_temperature(logits, labels)
    for other in (0.9 * temperature, 1.1 * temperature):
        assert log_loss(logits, labels, temperature) < log_loss(logits, labels, other)


def test_log_loss_is_the_mean_surprise():
    logits = np.log([[0.5, 0.5], [0.2, 0.8]])
    assert log_loss(logits, np.array([0, 1]), 1.0) == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2)
    assert np.isfinite(log_loss(np.array([[0.0, -1e6]]), np.array([1]), 1.0))


def test_the_entry_of_least_calibrated_log_loss_is_chosen_however_loud_it_is():
    logits, labels = _answers(300)
    noise = np.random.default_rng(1).normal(size=logits.shape)
    # The better answers are badly calibrated (50 times too sure); that is mended before they are compared.
    best, temperature = choose([logits + 3 * noise, 50 * logits, logits + noise], labels)
    assert best == 1
    assert temperature == pytest.approx(50 * fit_temperature(logits, labels), rel=1e-6)


def test_equal_entries_keep_the_first_which_is_the_most_regularised():
    logits, labels = _answers(50)
    assert choose([logits, logits, logits], labels)[0] == 0


def test_no_examples_own_group_has_a_say_in_its_probabilities():
    logits, labels = _answers(120)
    grid = [logits, logits + np.random.default_rng(2).normal(size=logits.shape)]
    group_of = np.arange(120) % 4
    before = cross_fitted(grid, labels, group_of)
    changed = labels.copy()
    changed[group_of == 2] = (changed[group_of == 2] + 1) % 3
    after = cross_fitted(grid, changed, group_of)
    assert np.array_equal(before[group_of == 2], after[group_of == 2])
    assert not np.array_equal(before[group_of != 2], after[group_of != 2])


def test_each_groups_probabilities_are_those_of_the_choice_on_the_others():
    logits, labels = _answers(90)
    grid = [logits, 2 * logits + np.random.default_rng(3).normal(size=logits.shape)]
    group_of = np.arange(90) // 30
    probs = cross_fitted(grid, labels, group_of)
    assert probs.sum(axis=1) == pytest.approx(1, abs=1e-6)
    for group in range(3):
        mine = group_of == group
        entry, temperature = choose([one[~mine] for one in grid], labels[~mine])
        assert probs[mine] == pytest.approx(apply_temperature(grid[entry][mine], temperature), abs=1e-6)


def test_a_single_group_has_nobody_else_to_ask():
    logits, labels = _answers(30)
    probs = cross_fitted([logits], labels, np.zeros(30, dtype=np.int64))
    assert probs == pytest.approx(apply_temperature(logits, careful_temperature(logits, labels)), abs=1e-6)
