"""Where scores lie on the ladder's line."""

from __future__ import annotations

from itertools import pairwise

import pytest

from winnow.metrics.intervals import Interval
from winnow.report.scale import scale_for


def around(*values: float, half: float = 0.01) -> list[Interval]:
    return [Interval(v, max(0.0, v - half), v + half if v > 1 else min(1.0, v + half)) for v in values]


@pytest.mark.parametrize(
    ("values", "higher_is_better"),
    [((0.1, 0.85, 0.97, 0.99), True), ((0.80, 0.82, 0.85), True), ((2.3, 0.9, 0.1), False), ((0.3, 0.28), False)],
)
def test_further_right_is_better(values: tuple[float, ...], higher_is_better: bool):
    scale = scale_for(around(*values), higher_is_better=higher_is_better, unit_range=max(values) <= 1)
    places = [scale.place(v) for v in values]
    assert places == sorted(places)
    assert all(0 < place < 1 for place in places)


def test_far_apart_scores_stretch_so_that_each_halving_of_mistakes_takes_the_same_room():
    scale = scale_for(around(0.2, 0.6, 0.8, 0.9, 0.95), higher_is_better=True)
    assert scale.is_stretched
    steps = [scale.place(b) - scale.place(a) for a, b in ((0.6, 0.8), (0.8, 0.9), (0.9, 0.95))]
    assert steps == pytest.approx([steps[0]] * 3)


def test_near_scores_lie_on_an_even_scale():
    scale = scale_for(around(0.80, 0.82, 0.84), higher_is_better=True)
    assert not scale.is_stretched
    assert scale.place(0.82) - scale.place(0.80) == pytest.approx(scale.place(0.84) - scale.place(0.82))


def test_a_perfect_score_has_a_place():
    scale = scale_for([Interval(0.1, 0.08, 0.12), Interval(1.0, 0.99, 1.0)], higher_is_better=True)
    assert scale.place(1.0) == 1.0
    assert scale.place(0.1) < 0.1


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_single_sure_score_can_be_drawn(value: float):
    for higher_is_better in (True, False):
        scale = scale_for([Interval(value, value, value)], higher_is_better=higher_is_better)
        assert 0 <= scale.place(value) <= 1


@pytest.mark.parametrize("values", [(0.1, 0.85, 0.97, 0.99), (0.80, 0.82, 0.85), (0.5, 0.999)])
def test_ticks_are_round_inside_and_not_crowded(values: tuple[float, ...]):
    scale = scale_for(around(*values, half=0.0005), higher_is_better=True)
    ticks = scale.ticks()
    assert len(ticks) >= 2
    places = [scale.place(t) for t in ticks]
    assert all(b - a > 0.1 for a, b in pairwise(places))
    assert all(scale.worst <= t <= scale.best for t in ticks)
    assert all(t == pytest.approx(round(t, 4)) for t in ticks)
