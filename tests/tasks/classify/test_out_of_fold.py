"""Nobody is judged by a model that learned from it, or from a copy of it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from winnow.data.splits import folds
from winnow.tasks.classify.out_of_fold import FOLDS, out_of_fold, out_of_fold_multilabel


def clouds(n: int = 90, n_classes: int = 3, seed: int = 0):
    """(n, 6) rows around one centre for each class, and their (n,) labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centres = 3 * rng.normal(size=(n_classes, 6))
    return (centres[labels] + rng.normal(size=(n, 6))).astype(np.float32), labels


def test_everyone_is_answered_for_and_mostly_rightly():
    rows, labels = clouds()
    found = out_of_fold(rows, labels, np.arange(90), seed=0)
    assert found is not None
    assert found.places.tolist() == list(range(90))
    np.testing.assert_allclose(found.probs.sum(axis=1), 1, atol=1e-5)
    assert (found.probs.argmax(axis=1) == labels).mean() > 0.95


def test_the_answers_rank_as_a_slow_loop_of_scikit_learn_does():
    rows, labels = clouds()
    found = out_of_fold(rows, labels, np.arange(90), seed=0)
    fold_of = folds(labels, np.arange(90), FOLDS, 0)
    assert found is not None
    for fold in range(FOLDS):
        held_out = fold_of == fold
        scale = StandardScaler().fit(rows[~held_out])
        model = LogisticRegression(C=0.083, max_iter=500).fit(scale.transform(rows[~held_out]), labels[~held_out])
        expected = model.decision_function(scale.transform(rows[held_out]))
        given = np.log(found.probs[held_out])
        given -= given.mean(axis=1, keepdims=True)
        expected -= expected.mean(axis=1, keepdims=True)
        # A temperature scales all logits of a fold alike.
        assert np.corrcoef(given.ravel(), expected.ravel())[0, 1] == pytest.approx(1, abs=1e-3)


def test_a_copy_does_not_give_the_label_away():
    # Every picture is there twice with a label of pure chance: who had seen the copy would know it.
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(60, 40)), 2, axis=0).astype(np.float32)
    labels = np.repeat(rng.integers(0, 2, 60), 2)
    honest = out_of_fold(rows, labels, np.repeat(np.arange(60), 2), seed=0)
    fooled = out_of_fold(rows, labels, np.arange(120), seed=0)
    assert honest is not None
    assert fooled is not None
    assert (honest.probs.argmax(axis=1) == labels).mean() < 0.65
    assert (fooled.probs.argmax(axis=1) == labels).mean() > 0.7


def test_unlabelled_and_rare_ones_are_left_out():
    rows, labels = clouds()
    labels = labels.copy()
    labels[[0, 3]] = -1
    labels[[1, 4]] = 7
    found = out_of_fold(rows, labels, np.arange(90), seed=0)
    assert found is not None
    assert set(range(90)) - set(found.places.tolist()) == {0, 1, 3, 4}
    assert found.classes.tolist() == [0, 1, 2]
    assert out_of_fold(rows, np.zeros(90, dtype=int), np.arange(90), seed=0) is None
    assert out_of_fold(rows[:4], labels[:4], np.arange(4), seed=0) is None


def test_the_same_seed_gives_the_same_bits():
    rows, labels = clouds()
    one, two = (out_of_fold(rows, labels, np.arange(90), seed=4) for _ in range(2))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.probs, two.probs)


def test_with_several_classes_each_is_judged_against_its_absence():
    rng = np.random.default_rng(0)
    member = rng.random((120, 4)) < 0.4
    member[:, 3] = False
    member[:2, 3] = True  # too rare to be judged
    rows = (3 * member @ rng.normal(size=(4, 8)) + 0.3 * rng.normal(size=(120, 8))).astype(np.float32)
    found = out_of_fold_multilabel(rows, member, np.arange(120), seed=0)
    assert found is not None
    assert found.classes.tolist() == [0, 1, 2]
    assert ((found.probs >= 0.5) == member[found.places][:, :3]).mean() > 0.95
    assert out_of_fold_multilabel(rows[:3], member[:3], np.arange(3), seed=0) is None
