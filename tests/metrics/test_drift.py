"""Drift is told when pictures changed, and only then: against scipy, closed forms and simulated streams."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial

from winnow.metrics.drift import (
    CONFIDENCE,
    LEVEL,
    MEASURES,
    MUCH,
    Bins,
    ClassBins,
    Reference,
    is_drift,
    log_evidence,
    stability_index,
)

QUESTIONS = len(MEASURES) + 2


def counted(bins: Bins, values) -> list[int]:
    counts = [0] * len(bins.weights)
    for value in np.asarray(values, dtype=np.float32).tolist():
        counts[bins.place(value)] += 1
    return counts


def first_warning(weights, places) -> int | None:
    """After how many pictures somebody who looks after every 16th is warned."""
    counts = [0] * len(weights)
    for n, place in enumerate(places, start=1):
        counts[place] += 1
        if n % 16 == 0 and is_drift(stability_index(weights, counts), log_evidence(weights, counts), QUESTIONS):
            return n
    return None


def test_bins_hold_equal_shares_and_one_gap_beyond_each_end():
    bins = Bins.of(np.random.default_rng(0).permutation(101).astype(np.float32))
    assert bins.edges[0] == 0
    assert bins.edges[-1] == pytest.approx(100)
    assert bins.weights == (1, *[10] * 10, 1) or sum(bins.weights) == 102
    assert max(bins.weights[1:-1]) - min(bins.weights[1:-1]) <= 1
    assert counted(bins, [-0.5, 0, 100, 100.5]) == [1, 1, *[0] * 8, 1, 1]


def test_numbers_that_are_all_alike_have_a_bin_of_their_own():
    bins = Bins.of(np.full(300, 9, dtype=np.float32))
    assert counted(bins, [8.999, 9, 9.001]) == [1, 1, 1]


def test_the_odds_of_the_urn_are_scipys():
    rng = np.random.default_rng(1)
    weights, counts = (rng.random(5) * 9 + 2).tolist(), rng.integers(0, 20, 5).tolist()
    ways = math.lgamma(sum(counts) + 1) - sum(math.lgamma(count + 1) for count in counts)

    def of_scipy(alpha):
        return float(dirichlet_multinomial.logpmf(counts, alpha, sum(counts))) - ways

    shares = np.array(weights) / sum(weights)
    bets = [of_scipy(bet * shares) - of_scipy(np.array(weights)) for bet in (4.0, 32.0, 256.0)]
    assert log_evidence(weights, counts) == pytest.approx(np.log(np.mean(np.exp(bets))), rel=1e-9)


def test_an_e_value_is_one_on_average_where_nothing_changed():
    rng = np.random.default_rng(2)
    values = []
    for _ in range(1500):
        bins = Bins.of(rng.normal(size=40))
        values.append(math.exp(log_evidence(bins.weights, counted(bins, rng.normal(size=12)))))
    assert np.mean(values) <= 1 + 3 * np.std(values) / math.sqrt(len(values))


def test_the_index_is_its_formula_where_there_are_many_pictures():
    weights, counts = [2e6, 5e6, 3e6], [4_000_000, 4_000_000, 2_000_000]
    then, now = np.array(weights) / 1e7, np.array(counts) / 1e7
    assert stability_index(weights, counts) == pytest.approx(float(((now - then) * np.log(now / then)).sum()), abs=1e-5)


def test_chance_alone_makes_no_index():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        bins = Bins.of(rng.normal(size=200))
        found.append(stability_index(bins.weights, counted(bins, rng.normal(size=200))))
    assert np.mean(found) < 0.02
    assert stability_index([10, 10], [0, 0]) == 0


SAME_KIND = {
    "any number": lambda rng, n: rng.normal(0.5, 0.1, n),
    "three sizes": lambda rng, n: rng.choice([9.0, 9.5, 10.0], n, p=[0.6, 0.3, 0.1]),
    "a rare size": lambda rng, n: rng.choice([9.0, 10.0], n, p=[0.98, 0.02]),
}


@pytest.mark.parametrize("kind", SAME_KIND)
@pytest.mark.parametrize("n", [20, 400])
def test_a_stream_of_the_same_kind_warns_in_less_than_one_window_of_a_hundred(kind, n):
    rng = np.random.default_rng(n)
    draw, warned = SAME_KIND[kind], 0
    for _ in range(50):
        bins = Bins.of(draw(rng, n))
        places = [bins.place(value) for value in draw(rng, 512).astype(np.float32).tolist()]
        warned += first_warning(bins.weights, places) is not None
    assert warned / 50 * QUESTIONS <= LEVEL * 100  # so few windows can only show that it is no habit


@pytest.mark.parametrize("n_classes", [2, 10, 200])
def test_classes_of_the_same_shares_do_not_warn(n_classes):
    rng = np.random.default_rng(n_classes)
    warned = 0
    for _ in range(40):
        bins = ClassBins.of(rng.integers(0, n_classes, 300), n_classes)
        places = [bins.places[one] for one in rng.integers(0, n_classes, 512).tolist()]
        warned += first_warning(bins.weights, places) is not None
    assert warned == 0


def test_pictures_a_third_darker_are_seen_within_a_few_hundred():
    rng = np.random.default_rng(4)
    bins = Bins.of(rng.beta(4, 4, 1000))
    seen = [first_warning(bins.weights, [bins.place(0.7 * v) for v in rng.beta(4, 4, 512)]) for _ in range(20)]
    assert max(n or 9999 for n in seen) <= 200


def test_a_cameras_size_that_never_was_there_is_seen_at_once():
    bins = Bins.of(np.full(500, np.log2(640), dtype=np.float32))
    assert first_warning(bins.weights, [bins.place(math.log2(800))] * 64) == 16


def test_a_class_that_comes_no_more_is_seen_within_a_few_hundred():
    rng = np.random.default_rng(5)
    bins = ClassBins.of(rng.integers(0, 10, 1000), 10)
    seen = [first_warning(bins.weights, [bins.places[one] for one in rng.integers(1, 10, 512)]) for _ in range(20)]
    assert max(n or 9999 for n in seen) <= 400


def test_a_difference_that_is_sure_but_small_is_not_worth_a_warning():
    weights, counts = [5e5, 5e5], [52_000, 48_000]
    assert log_evidence(weights, counts) > math.log(1e6)
    assert not is_drift(stability_index(weights, counts), log_evidence(weights, counts), QUESTIONS)
    assert stability_index(weights, [80_000, 20_000]) > MUCH


def test_classes_that_are_rare_share_a_bin_with_their_neighbours():
    bins = ClassBins.of(np.repeat([0, 1, 2, 3, 4], [50, 3, 4, 40, 2]), 5)
    assert bins.places == (0, 1, 1, 1, 1)
    assert bins.weights == (50.5, 49.5)


def test_a_reference_comes_back_from_json_as_it_was():
    rng = np.random.default_rng(6)
    reference = Reference.of(rng.random((50, len(MEASURES))).astype(np.float32), rng.dirichlet([1, 1, 1], 60))
    assert Reference.from_json(json.loads(json.dumps(reference.to_json()))) == reference
    assert set(reference.numbers) == {*(measure.name for measure in MEASURES), CONFIDENCE.name}


@pytest.mark.parametrize(
    "change", [{"weights": [1, 0]}, {"weights": [1]}, {"edges": [2, 1]}, {"weights": []}, {"mean": None}]
)
def test_damaged_bins_are_refused(change):
    rng = np.random.default_rng(7)
    values = Reference.of(rng.random((50, len(MEASURES))).astype(np.float32), rng.dirichlet([1, 1], 60)).to_json()
    values["numbers"]["brightness"] |= change
    with pytest.raises((ValueError, TypeError)):
        Reference.from_json(values)
