"""How alike two pictures are once one is laid upon the other: shifted, scaled, turned and dimmed to fit.

A crop, a frame or a slight turn moves every edge, and with it every coefficient of a hash. So the blurred pictures
are drawn from their hashes (`winnow.data.canvas`) and fitted by the inverse compositional method, from coarse to fine;
then they are compared part by part, because two horizons agree as wholes and differ everywhere in detail.

Most pairs that are asked about are strangers. A sieve tells them by the first step of the fit alone: it needs no
picture to be warped, because it says itself how much of the difference it will explain.

Source: Baker and Matthews, Lucas-Kanade 20 Years On: A Unifying Framework, IJCV 2004.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from winnow.data.canvas import MARGIN, PARTS, Canvas, Rows, canvas_of_whole, canvas_within
from winnow.data.phash import PLACES, SIDE
from winnow.data.template import Template, normalised

Hashes = NDArray[np.int8]
Ids = NDArray[np.int64]
Values = NDArray[np.float64]

# Sieves before the fit: frequencies up to, points a side, and how far pairs may stray, in tolerances: the geometric
# mean of how far they differ as wholes and in parts. Of copies 1 in 1,000 gets lost, of strangers four in five.
_SIEVES = ((8.0, 8, 2.2), (10.0, 12, 3.5))
# Three rounds of fitting: frequencies up to, points a side, steps.
_ROUNDS = ((4.0, 12, 2), (7.0, 16, 2), (10.0, 24, 2))
# The same before the last round, which costs as much as both others: how far the parts alone may stray, and by how much
# more, whatever the tolerance: where there is little to see, hashes are rounded as coarsely as this.
_LAST_SIEVE = (10.0, 16, 1.2)
_ROUNDED = 0.003
# Warps that move a point further than this share of the side are lost.
_FARTHEST = 0.25
# The worst three parts may hold a logo.
_IGNORED = 3
# Below this share of the mean part's energy, a part holds nothing but noise.
_EMPTY = 0.002
# Frequencies that are compared even if one picture has none of them.
_ALWAYS = 6
# Pictures of so many points in all are worked on at a time: what fits into the processor's cache.
_AT_ONCE = 80_000
# How many half waves the frequencies of a hash have.
_DOWN, _ACROSS = (waves.astype(np.int8) for waves in (PLACES // SIDE, PLACES % SIDE))


def aligned_similarity(first: Hashes, second: Hashes, tolerance: Values) -> Values:
    """How alike the pictures behind two hashes are, laid upon each other.

    Args:
        first: (M, 128) hashes.
        second: (M, 128) what to compare them with, row by row.
        tolerance: (M,) how far from 1 the similarity of copies may be.

    Returns:
        (M,) mean correlation of their parts, at most 1; 0 where they are too unlike to be fitted to the end.
    """
    pairs = _Pairs(*_as_coarse(first, second))
    left = np.arange(len(first))
    for most, points, too_far in _SIEVES:
        whole, parts = pairs.strays(left, canvas_within(most, points))
        left = left[np.sqrt(whole * parts) <= too_far * tolerance[left]]
    for most, points, steps in _ROUNDS[:-1]:
        pairs.fit(left, canvas_of_whole(most, points), steps)
    most, points, too_far = _LAST_SIEVE
    _, parts = pairs.strays(left, canvas_of_whole(most, points))
    left = left[parts <= too_far * tolerance[left] + _ROUNDED]
    most, points, steps = _ROUNDS[-1]
    similarity = np.zeros(len(first))
    similarity[left] = pairs.similarity(left, canvas_of_whole(most, points), steps)
    return similarity


def _as_coarse(first: Hashes, second: Hashes) -> tuple[Hashes, Hashes]:
    """Both without the frequencies that one of them lacks: a picture of eight pixels has no finer waves."""
    is_shared = np.ones(first.shape, dtype=bool)
    for waves in (_DOWN, _ACROSS):
        finest = np.minimum(*((waves * (hashes != 0)).max(1, keepdims=True) for hashes in (first, second)))
        is_shared &= waves <= np.maximum(finest, _ALWAYS - 1)
    return first * is_shared, second * is_shared


class _Pairs:
    """Pairs of hashes, and how the second pictures are to be warped so that they lie upon the first."""

    def __init__(self, first: Hashes, second: Hashes) -> None:
        self._first, self._second = first, second
        self._warps = np.tile(np.eye(3, dtype=np.float32), (len(first), 1, 1))

    def strays(self, ids: Ids, canvas: Canvas) -> tuple[Values, Values]:
        """(M,) each: how far some pairs will be apart after one more step, as wholes and in parts."""
        whole, parts = np.empty(len(ids)), np.empty(len(ids))
        for place, first, second, warps in self._blocks(ids, canvas):
            whole[place], parts[place] = _foretold(canvas, first, second, warps)
        return whole, parts

    def fit(self, ids: Ids, canvas: Canvas, steps: int) -> None:
        """Improve the warps of some pairs by so many steps."""
        for place, first, second, warps in self._blocks(ids, canvas):
            _fitted(canvas, first, second, warps, steps)
            self._warps[ids[place]] = warps

    def similarity(self, ids: Ids, canvas: Canvas, steps: int) -> Values:
        """(M,) how alike some pairs are after so many more steps."""
        alike = np.empty(len(ids))
        for place, first, second, warps in self._blocks(ids, canvas):
            template, whole = _fitted(canvas, first, second, warps, steps)
            sampled, weights = _sampled(canvas, whole, warps)
            first, second = (normalised(pictures, weights) for pictures in (template.picture, sampled))
            alike[place] = _agreement(canvas, first, second, weights)
        return alike

    def _blocks(self, ids: Ids, canvas: Canvas) -> Iterator[tuple[slice, Rows, Rows, Rows]]:
        size = _AT_ONCE // canvas.points
        for start in range(0, len(ids), size):
            place = slice(start, start + size)
            first, second = (hashes[ids[place]].astype(np.float32) for hashes in (self._first, self._second))
            yield place, first, second, self._warps[ids[place]]


def _foretold(canvas: Canvas, first: Rows, second: Rows, warps: Rows) -> tuple[Rows, Values]:
    """(M,) each: how far apart they will be after one step, which says itself how much of the error it will explain."""
    template = Template(canvas, first)
    if canvas.side:
        sampled, weights = _sampled(canvas, second @ canvas.whole, warps)
    else:
        sampled, weights = second @ canvas.drawing[:, : canvas.points], np.ones_like(template.picture)
    error = (normalised(sampled, weights) - template.picture) * weights
    left: Rows = np.subtract(error, template.change(template.step(error)) * weights)
    parts = 1 - _agreement(canvas, template.picture, template.picture + left, weights)
    return (left * left).sum(1) / 2, np.maximum(parts, 0)


def _fitted(canvas: Canvas, first: Rows, second: Rows, warps: Rows, steps: int) -> tuple[Template, Rows]:
    """Improve `warps` (M, 3, 3) in place; gives the first pictures, and the whole second ones."""
    template = Template(canvas, first)
    whole = second @ canvas.whole
    for _ in range(steps):
        sampled, weights = _sampled(canvas, whole, warps)
        move = template.step((normalised(sampled, weights) - template.picture) * weights).T
        change = np.tile(np.eye(3, dtype=np.float32), (len(move), 1, 1))
        change[:, 0] += move[:, :3]
        change[:, 1] += move[:, 3:6]
        warps[:] = warps @ np.linalg.inv(change)
        is_lost = ~(np.abs(warps - np.eye(3, dtype=np.float32)).max((1, 2)) < _FARTHEST)
        warps[is_lost] = np.eye(3)
    return template, whole


def _sampled(canvas: Canvas, other: Rows, warps: Rows) -> tuple[Rows, Rows]:
    """(M, P) the other pictures (M, side^2) at the warped points (bilinear), and the weights: 0 where there is nothing
    of them.

    Computed in place where it can be: fresh room for each step would take as long as the steps.
    """
    side = canvas.side
    # In pixels of the other pictures, from their middle; then from their first pixel.
    x: Rows = (warps[:, 0] * side) @ canvas.grid
    y: Rows = (warps[:, 1] * side) @ canvas.grid
    is_inside = np.maximum(np.abs(x), np.abs(y)) < side * (0.5 - MARGIN / 2)
    for at in (x, y):
        at += side / 2 - 0.5
        np.clip(at, 0, side - 1.001, out=at)
    column, row = np.floor(x), np.floor(y)
    x -= column
    y -= row
    row *= side
    row += column
    place = row.astype(np.intp)
    place += np.arange(len(other))[:, None] * side**2
    values = other.reshape(-1)
    above = _between(values[place], values[place + 1], x)
    place += side
    below = _between(values[place], values[place + 1], x)
    return _between(above, below, y), is_inside.astype(np.float32)


def _between(start: Rows, end: Rows, share: Rows) -> Rows:
    """Linear interpolation, in the room of both."""
    end -= start
    end *= share
    start += end
    return start


def _agreement(canvas: Canvas, a: Rows, b: Rows, weights: Rows) -> Values:
    """(M,) the mean correlation of the parts, weighted by how much there is to see in them, less the worst few.

    The weight is the root of the energy: strong edges would decide alone, noise would decide as much as they.

    Args:
        a, b, weights: (M, P) the pictures and the weights of their points.
    """
    weighted_a, weighted_b = a * weights, b * weights
    seen = weights @ canvas.parts + np.float32(1e-6)
    sum_a, sum_b = weighted_a @ canvas.parts, weighted_b @ canvas.parts
    both = (weighted_a * b) @ canvas.parts - sum_a * sum_b / seen
    energy_a = (weighted_a * a) @ canvas.parts - sum_a * sum_a / seen
    energy_b = (weighted_b * b) @ canvas.parts - sum_b * sum_b / seen
    energy = np.sqrt(np.maximum(energy_a, 0) * np.maximum(energy_b, 0)) + np.float32(1e-12)
    correlation = both / energy
    weight = np.sqrt(energy) * energy / (energy + _EMPTY / PARTS**2)
    worst = np.argpartition(weight * (correlation - 1), _IGNORED, 1)[:, :_IGNORED]
    np.put_along_axis(weight, worst, 0, 1)
    return ((weight * correlation).sum(1) / (weight.sum(1) + 1e-12)).astype(np.float64)
