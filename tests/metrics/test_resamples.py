"""Drawing the same examples again and again."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.metrics import resamples as module
from winnow.metrics.resamples import make_resamples


def test_every_draw_has_as_many_examples_as_there_are():
    weights = make_resamples(np.arange(40), draws=300).weights
    assert weights.shape == (300, 40)
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(40), abs=0.25)
    # A count of a draw with replacement has the variance 1 - 1/N.
    assert weights.var() == pytest.approx(1 - 1 / 40, abs=0.03)


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    one, same, other = (make_resamples(np.arange(30), draws=50, seed=seed).weights for seed in (7, 7, 8))
    assert (one == same).all()
    assert (one != other).any()


def test_more_draws_begin_with_the_same_draws():
    few = make_resamples(np.arange(30), draws=20, seed=1).weights
    many = make_resamples(np.arange(30), draws=50, seed=1).weights
    assert (many[:20] == few).all()


def test_chunks_of_any_size_hold_the_same_bits(monkeypatch: pytest.MonkeyPatch):
    whole = make_resamples(np.arange(101), draws=100, seed=3).weights
    monkeypatch.setattr(module, "_CHUNK_ELEMENTS", 0)
    monkeypatch.setattr(module, "_KEPT_ELEMENTS", 0)
    chunks = list(make_resamples(np.arange(101), draws=100, seed=3).chunks())
    assert [len(chunk) for chunk in chunks] == [32, 32, 32, 4]
    assert (np.concatenate(chunks) == whole).all()


def test_small_draws_are_kept_and_the_same_when_asked_again():
    resamples = make_resamples(np.arange(30), draws=50)
    assert all(one is other for one, other in zip(resamples.chunks(), resamples.chunks(), strict=True))


def test_examples_of_one_cluster_are_drawn_together():
    resamples = make_resamples([5, 5, 9, 2, 9, 5], draws=200)
    weights = resamples.weights
    assert resamples.n_clusters == 3
    assert resamples.is_clustered
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 0] == weights[:, 5]).all()
    assert (weights[:, 2] == weights[:, 4]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_what_the_clusters_are_called_does_not_matter():
    assert (make_resamples([8, 1, 8, 4]).weights == make_resamples([0, 1, 0, 2]).weights).all()


def test_large_sets_are_drawn_in_small_chunks():
    sizes = {chunk.shape for chunk in make_resamples(np.arange(60_000), draws=64).chunks()}
    assert sizes == {(32, 60_000)}


def test_nothing_cannot_be_drawn_from():
    with pytest.raises(ValueError, match="at least one example"):
        make_resamples([])
