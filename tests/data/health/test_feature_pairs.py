"""Pictures whose features point the same way are near-duplicates, wherever they lie and however many there are."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.data.health import feature_pairs as module
from winnow.data.health.feature_pairs import ALIKE, feature_pairs


def features(n: int = 60, dim: int = 32) -> np.ndarray:
    """(n, dim) rows that all share a large mean and differ at random around it."""
    return (5 + np.random.default_rng(0).normal(size=(n, dim))).astype(np.float32)


def slow(rows: np.ndarray) -> set[tuple[int, int]]:
    centred = rows - rows.mean(axis=0)
    return {
        (i, j)
        for i in range(len(rows))
        for j in range(i + 1, len(rows))
        if centred[i] @ centred[j] >= ALIKE * np.linalg.norm(centred[i]) * np.linalg.norm(centred[j])
    }


def test_a_slightly_changed_copy_is_found():
    rows = features()
    rows[40] = rows[3] + 0.05 * np.random.default_rng(1).normal(size=32)
    (pair,) = feature_pairs(rows)
    assert (pair.first, pair.second, pair.by) == (3, 40, "features")
    assert ALIKE < pair.similarity <= 1


def test_what_all_pictures_share_makes_them_no_copies():
    assert feature_pairs(features()) == []


def test_every_block_is_compared_with_every_other(monkeypatch: pytest.MonkeyPatch):
    rows = features()
    for copy, original in ((59, 0), (31, 30), (12, 55), (8, 9)):
        rows[copy] = rows[original]
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert {(pair.first, pair.second) for pair in feature_pairs(rows)} == slow(rows)


def test_blank_features_are_like_nothing():
    assert feature_pairs(np.zeros((5, 4), dtype=np.float32)) == []


def test_where_all_are_alike_a_pair_must_stand_out():
    """Ten kinds of 40 pictures: within a kind the cosine is 0.96 or so, as of strangers; one copy is at 0.999."""
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(10, 256))
    rows = (np.repeat(kinds, 40, axis=0) + 0.2 * rng.normal(size=(400, 256))).astype(np.float32)
    assert feature_pairs(rows) == []
    rows[123] = rows[7] + 0.02 * rng.normal(size=256)
    (pair,) = feature_pairs(rows)
    assert (pair.first, pair.second) == (7, 123)
