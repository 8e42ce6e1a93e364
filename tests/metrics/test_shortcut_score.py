"""A nuisance that gives the class away is told with an interval; chance is not."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.metrics.shortcut_score import shortcut_scores


def columns_for(labels: np.ndarray, gap: float, seed: int = 0) -> np.ndarray:
    """(N, 2): the first column is `gap` higher for class 0, with noise of 1; the second says nothing."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(labels), 2)) + np.outer(labels == 0, [gap, 0])


def test_a_nuisance_that_says_it_all_scores_one_and_its_interval_is_short():
    labels = np.arange(200) % 2
    (score,) = shortcut_scores(columns_for(labels, 20), labels, np.arange(200), tried=8)
    assert score.label == 0
    assert score.balanced_accuracy.value == 1
    assert 0.95 < score.balanced_accuracy.low < 1
    assert score.balanced_accuracy.high == 1


def test_the_score_is_what_the_best_cut_can_reach():
    # Two normal distributions two standard deviations apart: the cut half way is right for 84.1 %.
    labels = np.arange(2000) % 2
    (score,) = shortcut_scores(columns_for(labels, 2), labels, np.arange(2000))
    assert score.balanced_accuracy.value == pytest.approx(0.841, abs=0.02)
    assert score.balanced_accuracy.low < 0.841 < score.balanced_accuracy.high


def test_rare_classes_count_as_much_as_common_ones():
    labels = (np.arange(400) % 10 != 0).astype(int)  # 40 of class 0
    rng = np.random.default_rng(0)
    (score,) = shortcut_scores(rng.normal(size=(400, 1)), labels, np.arange(400))
    assert score.balanced_accuracy.value < 0.65  # always saying 1 would be right for 90 %


def test_of_many_classes_each_is_asked_about():
    labels = np.arange(400) % 4
    scores = shortcut_scores(columns_for(labels, 20), labels, np.arange(400))
    assert [score.label for score in scores] == [0, 1, 2, 3]
    assert scores[0].balanced_accuracy.value > 0.99
    assert max(score.balanced_accuracy.low for score in scores[1:]) < 0.75


def test_copies_do_not_vouch_for_each_other():
    # Ten clusters of 20 copies: within a cluster the column is a name tag, between clusters it is noise.
    cluster = np.repeat(np.arange(20), 20)
    labels = cluster % 2
    tags = np.random.default_rng(3).normal(size=20)[cluster][:, None]
    (score,) = shortcut_scores(tags, labels, cluster)
    assert score.balanced_accuracy.low < 0.6
    (naive,) = shortcut_scores(tags, labels, np.arange(400))
    assert naive.balanced_accuracy.low > 0.9


def test_classes_with_too_few_examples_are_left_out():
    labels = np.array([0] * 40 + [1] * 40 + [2] * 3)
    (score,) = shortcut_scores(columns_for(labels, 20), labels, np.arange(83))
    assert score.label == 0
    assert shortcut_scores(columns_for(labels, 20), np.zeros(83, dtype=int), np.arange(83)) == []
    assert shortcut_scores(np.zeros((3, 1)), np.array([0, 1, 2]), np.arange(3)) == []


def test_the_more_is_tried_the_wider_the_interval():
    labels = np.arange(200) % 2
    one, ten = (shortcut_scores(columns_for(labels, 1), labels, np.arange(200), tried=n)[0] for n in (1, 10))
    assert one.balanced_accuracy.value == ten.balanced_accuracy.value
    assert ten.balanced_accuracy.low < one.balanced_accuracy.low


def test_the_evidence_is_out_of_fold_and_of_the_class():
    labels = np.arange(100) % 2
    (score,) = shortcut_scores(columns_for(labels, 20), labels, np.arange(100))
    assert score.members.tolist() == list(range(0, 100, 2))
    assert score.probs.mean() > 0.85


def test_shuffled_labels_are_told_from_chance_in_none_of_six_sets():
    alarms = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(60) % 2)
        scores = shortcut_scores(rng.normal(size=(60, 3)), labels, np.arange(60), tried=8, seed=seed)
        alarms += scores[0].balanced_accuracy.low > 0.65
    assert alarms == 0
