"""The dealer behind every split: whole clusters into hands, each with its share of every class.

Clusters of several examples are dealt first, largest first (as in Graham's LPT rule, 1969), each to where the classes
it holds are most wanted; then single examples fill what is still missing. Where examples have several labels, those
with the rarest label are dealt first, because later nothing could make up for them.

Source: Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-Label Data, ECML PKDD 2011.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from winnow.errors import UserError

Ids = NDArray[np.int64]
Counts = NDArray[np.float64]


def deal(labels: ArrayLike, clusters: ArrayLike, shares: Sequence[float], seed: tuple[int, ...]) -> Ids:
    """Who gets which example.

    Args:
        labels: (N,) class of each example, or (N, C) 0 or 1: which labels it has.
        clusters: (N,) what must stay together.
        shares: (F,) how much of every class each hand wants; they sum to 1.

    Returns:
        (N,) hand ids 0..F-1.

    Raises:
        UserError: the shares do not sum to 1.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise UserError(f"A share of {shares[-1]:g} is not possible: take a number from 0 to 1, such as 0.2.")
    rng = np.random.default_rng(seed)
    y = np.asarray(labels)
    ids: Ids = np.unique(np.asarray(clusters), return_inverse=True)[1].reshape(-1)
    hands = np.full(len(y), -1, dtype=np.int64)
    if not len(y):
        return hands
    if y.ndim == 2:
        _deal_labelled_often(hands, y.astype(bool), ids, shares, rng)
    else:
        _deal_labelled_once(hands, np.unique(y, return_inverse=True)[1].reshape(-1), ids, shares, rng)
    return hands


def _deal_labelled_once(hands: Ids, y: Ids, ids: Ids, shares: Sequence[float], rng: np.random.Generator) -> None:
    totals = np.bincount(y)
    wanted = np.outer(totals, shares)  # (C, F), falls as hands fill
    is_single = np.bincount(ids)[ids] == 1
    for members in _clusters_of_several(ids, is_single, rng):
        held, counts = np.unique(y[members], return_counts=True)
        # Rare classes matter as much as common ones. An equal gain goes to the hand that lacks most of all.
        hand = _best_hand(wanted, held, counts, 1 / totals[held].astype(np.float64) ** 2, wanted.sum(axis=0))
        hands[members] = hand
        wanted[held, hand] -= counts
    for label in rng.permutation(len(totals)):
        members = rng.permutation(np.flatnonzero(is_single & (y == label)))
        counts = _fill(wanted[label], wanted.sum(axis=0), len(members), rng)
        hands[members] = np.repeat(np.arange(len(shares)), counts)
        wanted[label] -= counts


def _deal_labelled_often(
    hands: Ids, has: NDArray[np.bool_], ids: Ids, shares: Sequence[float], rng: np.random.Generator
) -> None:
    # Two labels of our own: "none", which also needs its share, and "any example", which keeps the hands' sizes.
    has = np.column_stack([has, ~has.any(1), np.ones(len(has), dtype=bool)])
    totals = has.sum(0)
    wanted = np.outer(totals, shares)
    is_single = np.bincount(ids)[ids] == 1
    for members in _clusters_of_several(ids, is_single, rng):
        counts = has[members].sum(0)
        held = np.flatnonzero(counts)
        weights = 1 / totals[held].astype(np.float64) ** 2
        hand = _best_hand(wanted, held, counts[held], weights, wanted[-1])
        hands[members] = hand
        wanted[held, hand] -= counts[held]
    is_left = is_single.copy()
    left = has[is_single].sum(0)
    while is_left.any():
        # Nobody is left without "any example", so each round ends with fewer left.
        rarest = int(np.argmin(np.where(left > 0, left, len(has) + 1)))
        members = rng.permutation(np.flatnonzero(is_left & has[:, rarest]))
        luck = rng.random((len(members), len(shares)))
        for member, tie in zip(members.tolist(), luck, strict=True):
            held = np.flatnonzero(has[member])
            # Most wanted for this label, then for any example, then by lot; rounded, or 0.1 + 0.2 would decide.
            order = np.lexsort((tie, np.round(wanted[-1], 9), np.round(wanted[rarest], 9)))
            hands[member] = order[-1]
            wanted[held, order[-1]] -= 1
        left -= has[members].sum(0)
        is_left[members] = False


def _clusters_of_several(ids: Ids, is_single: NDArray[np.bool_], rng: np.random.Generator) -> list[Ids]:
    """The places of each cluster of several examples, the largest first, equal ones by lot."""
    members = np.flatnonzero(~is_single)
    order = members[np.argsort(ids[members], kind="stable")]
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    groups = np.split(order, starts[1:]) if len(order) else []
    return [groups[g] for g in sorted(rng.permutation(len(groups)).tolist(), key=lambda g: -len(groups[g]))]


def _best_hand(wanted: Counts, held: Ids, counts: Ids, weights: Counts, lacking: Counts) -> int:
    """Putting c examples where w are wanted changes the squared error by c^2 - 2 c w: seek the largest c w."""
    gain = (counts * weights) @ wanted[held]
    return int(np.argmax(gain + 1e-12 * lacking))


def _fill(wanted: Counts, all_wanted: Counts, n: int, rng: np.random.Generator) -> Ids:
    """(F,) how many of n singles each hand gets: in proportion to what it wants, by largest remainder.

    Equal remainders go to the hand that wants most of all classes, so that hands end up of nearly equal size.
    """
    lacking = np.maximum(wanted, 0)
    if lacking.sum() == 0:
        lacking = np.ones_like(wanted)
    exact = n * lacking / lacking.sum()
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.lexsort((rng.random(len(exact)), -all_wanted, -np.round(exact - counts, 9)))
    counts[order[: n - int(counts.sum())]] += 1
    return counts
