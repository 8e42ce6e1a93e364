"""Splits: whole clusters, kept shares, the same every time."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from winnow.data import splits
from winnow.data.splits import clusters, folds, holdout, repeated_folds, split_by_time, text_codes
from winnow.errors import UserError


def test_texts_are_numbered_alike_in_all_pieces_of_a_column():
    column = pa.chunked_array([["a", None, "b"], [], ["b", "c", "a"]], pa.string())
    assert text_codes(column).tolist() == text_codes(["a", None, "b", "b", "c", "a"]).tolist() == [0, -1, 1, 1, 2, 0]
    assert text_codes([]).tolist() == []


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
    start = time.process_time()
    folds(y, np.arange(100_000), 5, 0)
    assert time.process_time() - start < 5  # 0.1 at rest


@pytest.mark.parametrize("k", [0, 1, 4])
def test_an_impossible_number_of_folds_says_what_is_possible(k):
    with pytest.raises(UserError, match="take 2 to 3 folds"):
        folds([0, 0, 1, 1], [0, 0, 1, 2], k, 0)


def test_an_impossible_share_says_what_is_possible():
    with pytest.raises(UserError, match="0 to 1"):
        holdout([0, 1], [0, 1], 1.2, 0)


def test_near_duplicates_belong_together_like_groups():
    near = np.array([[0, 2], [3, 4]])
    assert clusters(["a", "b", "c", "d", "e"], [None, "p", "p", None, None], near).tolist() == [0, 0, 0, 1, 1]


def test_a_long_chain_of_near_duplicates_is_cut_where_no_third_picture_confirms_it():
    # 300 pictures, each like the next; the first five are all like each other.
    chain = np.column_stack([np.arange(299), np.arange(1, 300)])
    clique = np.array([[i, j] for i in range(5) for j in range(i + 2, 5)])
    names = [str(i) for i in range(300)]
    ids = clusters(names, [None] * 300, np.concatenate([chain, clique]))
    assert ids.tolist() == [0] * 5 + list(range(1, 296))


def test_a_short_chain_of_near_duplicates_stays_whole():
    chain = np.column_stack([np.arange(99), np.arange(1, 100)])
    assert set(clusters([str(i) for i in range(100)], [None] * 100, chain).tolist()) == {0}


@st.composite
def labelled_often(draw):
    """Labels (N, C) of 20 to 200 examples: some common, some rare, some examples without any."""
    n, c = draw(st.integers(20, 200)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.random((n, c)) < rng.choice([0.05, 0.2, 0.5], c)


@given(labelled_often(), st.integers(0, 100), st.integers(2, 5))
@settings(deadline=None)
def test_examples_with_several_labels_are_dealt_whole_cluster_by_whole_cluster(has, seed, k):
    ids = np.random.default_rng(seed).integers(0, len(has) // 2 + 2, len(has))
    fold = folds(has, ids, k, seed)
    assert set(fold.tolist()) <= set(range(k))
    assert all(len(np.unique(fold[ids == cluster])) == 1 for cluster in np.unique(ids))


@given(labelled_often(), st.integers(0, 100), st.floats(0.1, 0.5))
@settings(deadline=None)
def test_the_rarest_label_keeps_its_share_to_one_example(has, seed, share):
    counts = has.sum(0)
    if not counts.any():
        return
    rarest = np.argmin(np.where(counts > 0, counts, len(has)))
    chosen = splits.test_split(has, np.arange(len(has)), share, seed)
    assert abs(has[chosen, rarest].sum() - share * counts[rarest]) <= 1


def iterative_stratification(has: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """Algorithm 1 of Sechidis et al. (2011), word by word."""
    rng = np.random.default_rng(seed)
    room = shares * len(has)
    wanted = np.outer(has.sum(0), shares)
    left = set(range(len(has)))
    hands = np.zeros(len(has), int)
    while left:
        counts = has[sorted(left)].sum(0)
        if not counts.any():
            for i in sorted(left):
                hands[i] = rng.choice(np.flatnonzero(room == room.max()))
                room[hands[i]] -= 1
            return hands
        label = np.argmin(np.where(counts > 0, counts, len(has) + 1))
        for i in sorted(i for i in left if has[i, label]):
            best = np.flatnonzero(wanted[label] == wanted[label].max())
            best = best[room[best] == room[best].max()]
            hands[i] = rng.choice(best)
            wanted[has[i], hands[i]] -= 1
            room[hands[i]] -= 1
            left.remove(i)
    return hands


def worst_label(has: np.ndarray, hands: np.ndarray, k: int) -> float:
    return max(np.abs(has[hands == hand].sum(0) - has.sum(0) / k).max() for hand in range(k))


def test_folds_of_several_labels_are_as_even_as_the_published_algorithms():
    ours, published = [], []
    for seed in range(10):
        has = np.random.default_rng(seed).random((200, 8)) < [0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02]
        ours.append(worst_label(has, folds(has, np.arange(200), 5, seed), 5))
        published.append(worst_label(has, iterative_stratification(has, np.full(5, 0.2), seed), 5))
    assert np.mean(ours) <= np.mean(published) + 0.1
    assert max(ours) <= 3


def test_one_label_each_is_shared_out_alike_however_it_is_written():
    y = np.random.default_rng(0).integers(0, 3, 90)
    as_matrix = splits.test_split(y[:, None] == np.arange(3), np.arange(90), 0.2, 0)
    as_ids = splits.test_split(y, np.arange(90), 0.2, 0)
    assert np.bincount(y[as_matrix]).tolist() == pytest.approx(np.bincount(y[as_ids]).tolist(), abs=1)


def test_examples_without_any_label_are_shared_out_too():
    has = np.zeros((100, 2), bool)
    has[:50, 0] = True
    chosen = splits.test_split(has, np.arange(100), 0.2, 0)
    assert (chosen[:50].sum(), chosen[50:].sum()) == (10, 10)


def test_repeated_folds_deal_anew_and_begin_with_the_folds():
    y, ids = np.arange(60) % 3, np.arange(60) // 2
    repeated = repeated_folds(y, ids, 5, 4, seed=7)
    assert repeated.shape == (4, 60)
    assert np.array_equal(repeated[0], folds(y, ids, 5, 7))
    assert len({row.tobytes() for row in repeated}) == 4
    assert np.array_equal(repeated[:2], repeated_folds(y, ids, 5, 2, seed=7))


def test_no_repeat_is_refused():
    with pytest.raises(UserError, match="take 1 or more"):
        repeated_folds([0, 1], [0, 1], 2, 0, 0)


def days(*numbers: int | None) -> np.ndarray:
    return np.array([None if n is None else np.datetime64("2024-01-01") + n for n in numbers], dtype="datetime64[D]")


def test_the_newest_judge_and_equal_times_stay_together():
    is_test, _ = split_by_time(days(5, 1, 4, 4, 2, 3, 0, 1, 2, 3), np.arange(10), 0.2)
    # The three newest are of two days; one or three could be tested, and three is as near to two as one.
    assert is_test.tolist() == [True, False, True, True, False, False, False, False, False, False]


def test_by_time_a_cluster_on_both_sides_stays_with_the_older_one():
    is_test, is_held_back = split_by_time(days(0, 1, 2, 3, 4, 5, 6, 7), [0, 1, 2, 3, 4, 5, 6, 1], 0.25)
    assert np.flatnonzero(is_test).tolist() == [6]
    assert np.flatnonzero(is_held_back).tolist() == [7]


def test_what_has_no_time_is_never_tested():
    is_test, _ = split_by_time(days(None, 1, 2, None), np.arange(4), 0.5)
    assert is_test.tolist() == [False, False, True, False]


@pytest.mark.parametrize("share", [0, 1])
def test_by_time_nobody_or_everybody_may_be_tested(share):
    assert split_by_time(days(1, 2, 3), np.arange(3), share)[0].tolist() == [bool(share)] * 3
