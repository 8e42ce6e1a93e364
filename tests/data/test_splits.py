"""Splits: whole clusters, kept shares, the same every time."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from winnow.data import splits
from winnow.data.splits import clusters, folds, holdout
from winnow.errors import UserError


def test_same_pixels_and_same_group_belong_together_even_through_others():
    pixels = ["a", "b", "c", "b", "e", "f"]
    groups = ["p1", "p1", None, "p2", "p2", None]
    # 0 and 1 share a group, 1 and 3 a picture, 3 and 4 a group.
    assert clusters(pixels, groups).tolist() == [0, 0, 1, 0, 0, 2]


def test_a_picture_and_a_group_of_the_same_name_are_two_things():
    assert clusters(["x", "y"], [None, "x"]).tolist() == [0, 1]


def test_no_examples_make_no_clusters():
    assert clusters([], []).tolist() == []


@st.composite
def datasets(draw):
    """Labels and clusters of 2 to 200 examples: many singles, some clusters, some of one class and some mixed."""
    n = draw(st.integers(2, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(0, draw(st.integers(1, 5)), n)
    ids = np.where(rng.random(n) < draw(st.floats(0, 1)), rng.integers(0, n, n), n + np.arange(n))
    return labels, ids


@given(datasets(), st.integers(0, 100), st.integers(2, 6))
@settings(deadline=None)
def test_no_cluster_is_ever_cut(dataset, seed, k):
    labels, ids = dataset
    k = min(k, len(np.unique(ids)))
    hands = [splits.test_split(labels, ids, 0.2, seed), holdout(labels, ids, 0.3, seed)]
    if k > 1:
        hands.append(folds(labels, ids, k, seed))
    for hand in hands:
        assert all(len(np.unique(hand[ids == cluster])) == 1 for cluster in np.unique(ids))


@given(st.lists(st.integers(0, 4), min_size=2, max_size=300), st.integers(0, 100), st.floats(0.05, 0.95))
@settings(deadline=None)
def test_single_examples_keep_every_class_share_to_one_example(labels, seed, share):
    y = np.array(labels)
    chosen = splits.test_split(y, np.arange(len(y)), share, seed)
    for label in np.unique(y):
        assert abs(chosen[y == label].sum() - share * (y == label).sum()) <= 1
    assert abs(chosen.sum() - share * len(y)) <= len(np.unique(y))


@given(st.lists(st.integers(0, 4), min_size=6, max_size=300), st.integers(0, 100), st.integers(2, 6))
@settings(deadline=None)
def test_folds_of_single_examples_are_as_even_as_scikit_learns(labels, seed, k):
    y = np.array(labels)
    fold = folds(y, np.arange(len(y)), k, seed)
    for label in np.unique(y):
        counts = np.bincount(fold[y == label], minlength=k)
        assert counts.max() - counts.min() <= 1
    if np.bincount(y).max() < k:
        return  # scikit-learn refuses these
    oracle = np.zeros(len(y), int)
    splitter = StratifiedKFold(k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of classes rarer than k
        for i, (_, judged) in enumerate(splitter.split(y, y)):
            oracle[judged] = i
    assert np.ptp(np.bincount(fold, minlength=k)) <= np.ptp(np.bincount(oracle, minlength=k)) + 1


def test_folds_of_groups_are_as_balanced_as_scikit_learns():
    rng = np.random.default_rng(0)
    n, k = 1000, 5
    y, ids = rng.choice(4, n, p=[0.6, 0.25, 0.1, 0.05]), rng.integers(0, 120, n)

    def imbalance(fold: np.ndarray) -> float:
        shares = [np.bincount(fold[y == c], minlength=k) / (y == c).sum() for c in range(4)]
        return float(np.abs(np.array(shares) - 1 / k).max())

    oracle = np.zeros(n, int)
    for i, (_, judged) in enumerate(StratifiedGroupKFold(k, shuffle=True, random_state=0).split(y, y, ids)):
        oracle[judged] = i
    assert imbalance(folds(y, ids, k, 0)) <= imbalance(oracle) + 0.01


def test_a_cluster_too_large_for_the_test_stays_out_and_the_rest_makes_up_for_it():
    ids = np.concatenate([np.zeros(500, int), np.arange(1, 501)])
    y = np.arange(1000) % 2
    chosen = splits.test_split(y, ids, 0.2, 0)
    assert not chosen[:500].any()
    assert chosen.sum() == 200


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    y, ids = np.arange(100) % 3, np.arange(100) // 2
    for split in (splits.test_split, holdout):
        assert np.array_equal(split(y, ids, 0.2, 7), split(y, ids, 0.2, 7))
        assert not np.array_equal(split(y, ids, 0.2, 7), split(y, ids, 0.2, 8))
    assert np.array_equal(folds(y, ids, 5, 7), folds(y, ids, 5, 7))
    assert not np.array_equal(splits.test_split(y, ids, 0.2, 7), holdout(y, ids, 0.2, 7))


def test_names_may_be_text_and_gaps_in_ids_do_not_matter():
    y = np.array(["cat", "dog"] * 20)
    assert np.array_equal(folds(y, np.arange(40) * 17 + 3, 4, 0), folds((y == "dog").astype(int), np.arange(40), 4, 0))


def test_a_hundred_thousand_singles_take_no_time():
    y = np.random.default_rng(0).integers(0, 100, 100_000)
    start = time.perf_counter()
    folds(y, np.arange(100_000), 5, 0)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("k", [0, 1, 4])
def test_an_impossible_number_of_folds_says_what_is_possible(k):
    with pytest.raises(UserError, match="take 2 to 3 folds"):
        folds([0, 0, 1, 1], [0, 0, 1, 2], k, 0)


def test_an_impossible_share_says_what_is_possible():
    with pytest.raises(UserError, match="0 to 1"):
        holdout([0, 1], [0, 1], 1.2, 0)
