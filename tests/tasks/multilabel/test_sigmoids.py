"""Settings and sigmoids are chosen without looking at the example that is judged."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import _sigmoid_calibration
from sklearn.metrics import log_loss as sklearn_log_loss

from winnow.tasks.multilabel.calibration import choose, cross_fitted, fit_sigmoids, log_loss


def _answers(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) logits that tell something, on three scales, and what is shown; the last class is rare."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 3)) < [0.5, 0.3, 0.08]).astype(np.uint8)
    labels[:2] = [[0, 0, 0], [1, 1, 1]]
    logits = (2.0 * labels + rng.normal(size=(n, 3))) * [1, 20, 0.01] + [0, 5, 0]
    return logits, labels


@pytest.mark.parametrize("n", [20, 300])
def test_sigmoids_are_those_of_scikit_learn(n: int):
    logits, labels = _answers(n)
    ours = fit_sigmoids(logits, labels)
    for c in range(3):
        slope, offset = _sigmoid_calibration(logits[:, c], labels[:, c].astype(float))
        expected = expit(-slope * logits[:, c] - offset)  # with the other sign
        surest = (n + 1) / (n + 2)
        assert ours.of(logits)[:, c] == pytest.approx(np.clip(expected, 1 - surest, surest), abs=2e-4)


def test_no_other_sigmoid_has_a_lower_log_loss_for_platts_targets():
    logits, labels = _answers(200)
    fitted = fit_sigmoids(logits, labels)
    n, m = labels.sum(axis=0), (labels == 0).sum(axis=0)
    targets = np.where(labels == 1, (n + 1) / (n + 2), 1 / (m + 2))

    def loss(slopes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        z = slopes * logits + offsets
        return (np.logaddexp(0, z) - targets * z).mean(axis=0)

    best = loss(fitted.slopes, fitted.offsets)
    for slopes, offsets in ((1.05, 0), (0.95, 0), (1, 0.05), (1, -0.05)):
        assert (best < loss(slopes * fitted.slopes, fitted.offsets + offsets)).all()


def test_a_class_told_apart_without_a_mistake_is_not_believed_for_ever():
    labels = np.array([[0]] * 15 + [[1]] * 5, dtype=np.uint8)
    probs = fit_sigmoids(100.0 * labels, labels).of(100.0 * labels)
    assert probs[:15] == pytest.approx(1 / 17, abs=1e-4)
    assert probs[15:] == pytest.approx(6 / 7, abs=1e-4)


@pytest.mark.parametrize("logits", [np.zeros(40), np.linspace(1, -1, 40)], ids=["all the same", "the wrong way round"])
def test_what_ranks_no_better_than_chance_gives_the_base_rate(logits: np.ndarray):
    labels = (np.arange(40) >= 30).astype(np.uint8)[:, None]
    fitted = fit_sigmoids(logits[:, None], labels)
    assert fitted.slopes == [0]
    assert fitted.of(logits[:, None]) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("value", [0, 1])
def test_a_class_that_all_or_none_show_gets_the_rule_of_succession(value: int):
    labels = np.full((10, 1), value, dtype=np.uint8)
    probs = fit_sigmoids(np.linspace(-1, 1, 10)[:, None], labels).of(np.zeros((1, 1)))
    assert probs[0, 0] == pytest.approx(11 / 12 if value else 1 / 12, abs=1e-6)


def test_nobody_is_surer_of_logits_far_away_than_the_examples_allow():
    # Fitted to logits close together, the sigmoid is steep.
    labels = (np.arange(30) % 3 == 0).astype(np.uint8)[:, None]
    fitted = fit_sigmoids(0.01 * labels + 1e-3 * np.random.default_rng(0).normal(size=(30, 1)), labels)
    assert fitted.slopes[0] > 100
    assert fitted.of(np.array([[-9.0], [9.0]])).ravel() == pytest.approx([1 / 32, 31 / 32])


def test_log_loss_is_the_mean_over_all_pairs():
    logits, labels = _answers(50)
    probs = expit(logits / [1, 20, 0.01])
    expected = np.mean([sklearn_log_loss(labels[:, c], probs[:, c]) for c in range(3)])
    assert log_loss(probs, labels) == pytest.approx(expected, rel=1e-6)


def test_the_entry_of_least_calibrated_log_loss_is_chosen_however_loud_it_is():
    logits, labels = _answers(300)
    noise = np.random.default_rng(1).normal(size=logits.shape) * [1, 20, 0.01]
    best, sigmoids = choose([logits + 3 * noise, 50 * logits, logits + noise], labels)
    assert best == 1
    assert sigmoids.slopes * 50 == pytest.approx(fit_sigmoids(logits, labels).slopes, rel=1e-5)


def test_equal_entries_keep_the_first_which_is_the_most_regularised():
    logits, labels = _answers(50)
    assert choose([logits, logits, logits], labels)[0] == 0


def test_no_examples_own_group_has_a_say_in_its_probabilities():
    logits, labels = _answers(120)
    grid = [logits, logits + np.random.default_rng(2).normal(size=logits.shape)]
    group_of = np.arange(120) % 4
    before = cross_fitted(grid, labels, group_of)
    changed = labels.copy()
    changed[group_of == 2] = 1 - changed[group_of == 2]
    after = cross_fitted(grid, changed, group_of)
    assert np.array_equal(before[group_of == 2], after[group_of == 2])
    assert not np.array_equal(before[group_of != 2], after[group_of != 2])


def test_each_groups_probabilities_are_those_of_the_choice_on_the_others():
    logits, labels = _answers(90)
    grid = [logits, 2 * logits + np.random.default_rng(3).normal(size=logits.shape)]
    group_of = np.arange(90) // 30
    probs = cross_fitted(grid, labels, group_of)
    for group in range(3):
        mine = group_of == group
        entry, sigmoids = choose([one[~mine] for one in grid], labels[~mine])
        assert probs[mine] == pytest.approx(sigmoids.of(grid[entry][mine]), abs=1e-6)
