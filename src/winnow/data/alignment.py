"""How alike two pictures are once one is laid upon the other: shifted, scaled, turned and dimmed to fit.

A crop, a frame or a slight turn moves every edge, and with it every coefficient of a hash. So the blurred pictures
are drawn from their hashes (`winnow.data.phash`) and fitted by the inverse compositional method, from coarse to fine;
then they are compared part by part, because two horizons agree as wholes and differ everywhere in detail.

Source: Baker and Matthews, Lucas-Kanade 20 Years On: A Unifying Framework, IJCV 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.data.phash import FREQUENCIES, PLACES, SIDE

Rows = NDArray[np.float32]

# Three rounds of fitting: frequencies up to, points a side, steps. The first two see too little to decide but enough to
# tell most strangers: who strays further than so many times the tolerance is not fitted on (0.5 % of copies do).
_ROUNDS = ((4.0, 12, 2, 2.5), (7.0, 16, 2, 3.0), (10.0, 24, 2, 0.0))
# The same before any fitting.
_TOO_FAR = 4.0
_POINTS = _ROUNDS[-1][1]
# This much of each side is not looked at: what is there may be cropped away in the other.
_MARGIN = 0.06
# How far copies are usually stretched or shifted (standard deviation, of the side), and how much noise is in them.
_USUAL = 0.04
_NOISE = 0.15
_FARTHEST = 0.25
# The picture is compared in 4 x 4 parts; the worst three may hold a logo.
_PARTS = 4
_IGNORED = 3
# Below this share of the mean part's energy, a part holds nothing but noise.
_EMPTY = 0.002
# Frequencies that are compared even if one picture has none of them.
_ALWAYS = 6
_BATCH = 256


def aligned_similarity(
    first: NDArray[np.int8], second: NDArray[np.int8], tolerance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How alike the pictures behind two hashes are, laid upon each other.

    Args:
        first: (M, 128) hashes.
        second: (M, 128) what to compare them with, row by row.
        tolerance: (M,) how far from 1 the similarity of copies may be.

    Returns:
        (M,) mean correlation of their parts, at most 1; 0 where they are too unlike to be fitted to the end.
    """
    similarity = np.zeros(len(first))
    for start in range(0, len(first), _BATCH):
        rows = slice(start, start + _BATCH)
        similarity[rows] = _align(first[rows].astype(np.float32), second[rows].astype(np.float32), tolerance[rows])
    return similarity


def _align(first: Rows, second: Rows, tolerance: NDArray[np.float64]) -> NDArray[np.float64]:
    similarity = np.zeros(len(first))
    canvas = _canvas(*_ROUNDS[0][:2])
    template, other = (_normalised(hashes @ canvas.picture) for hashes in (first, second))
    left = np.flatnonzero(1 - (template * other).sum(1) <= _TOO_FAR * tolerance)
    first[left], second[left] = _as_coarse(first[left], second[left])
    warps = np.tile(np.eye(3, dtype=np.float32), (len(first), 1, 1))
    for most, points, steps, too_far in _ROUNDS:
        if not len(left):
            break
        canvas = _canvas(most, points)
        moved = warps[left]
        template, sampled, weights = _fit(canvas, first[left], second[left], moved, steps)
        warps[left] = moved
        if points == _POINTS:
            similarity[left] = _agreement(*(_in_parts(canvas, values) for values in (template, sampled, weights)))
            break
        left = left[1 - (template * sampled * weights).sum(1) <= too_far * tolerance[left]]
    return similarity


def _as_coarse(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """Both without the frequencies that one of them lacks: a picture of eight pixels has no finer waves."""
    shared = np.ones((len(first), SIDE, SIDE), dtype=bool)
    for hashes in (first, second):
        has = np.zeros((len(first), SIDE * SIDE), dtype=bool)
        has[:, PLACES] = hashes != 0
        has = has.reshape(-1, SIDE, SIDE)
        for axis in (1, 2):
            # From the highest frequency downwards: has there been any yet?
            waves = np.maximum.accumulate(np.any(has, axis=axis)[:, ::-1], axis=1)[:, ::-1]
            waves[:, :_ALWAYS] = True
            shared &= np.expand_dims(waves, axis)
    is_shared = shared.reshape(-1, SIDE * SIDE)[:, PLACES]
    return first * is_shared, second * is_shared


@dataclass(frozen=True)
class _Canvas:
    """The points of a square that are looked at, and what draws hashes there: (128, P) for the picture and its slopes,
    (128, 4 points^2) for the whole square at double size.

    Attributes:
        points: a side.
        grid: (3, P) how far each lies from the middle, across and down, as a share of the side; and 1.
        places: (P,) which of the square's points are looked at, row by row: all but those near the edge.
    """

    points: int
    places: NDArray[np.int64]
    grid: Rows
    picture: Rows
    slope_x: Rows
    slope_y: Rows
    doubled: Rows


@lru_cache(8)
def _canvas(most: float, points: int) -> _Canvas:
    # The square root of the frequency weighs the picture between its brightness and its edges.
    weights = 1 / np.sqrt(FREQUENCIES) / (1 + (FREQUENCIES / most) ** 8)
    u, v = PLACES // SIDE, PLACES % SIDE
    middles = (np.arange(points) + 0.5) / points
    fine = (np.arange(2 * points) + 0.5) / (2 * points)

    def drawn(down: NDArray[np.float64], across: NDArray[np.float64]) -> Rows:
        drawing = down[u][:, :, None] * across[v][:, None, :] * weights[:, None, None]
        return drawing.reshape(len(u), -1).astype(np.float32)

    waves, slopes, fine_waves = _cosines(middles), _slopes(middles), _cosines(fine)
    y, x = (part.reshape(-1).astype(np.float32) for part in np.meshgrid(middles, middles, indexing="ij"))
    places = np.flatnonzero((np.minimum(x, y) > _MARGIN) & (np.maximum(x, y) < 1 - _MARGIN))
    return _Canvas(
        points,
        places,
        np.stack([x - np.float32(0.5), y - np.float32(0.5), np.ones_like(x)])[:, places],
        drawn(waves, waves)[:, places],
        drawn(waves, slopes)[:, places],
        drawn(slopes, waves)[:, places],
        drawn(fine_waves, fine_waves),
    )


def _cosines(at: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cos(np.pi * np.outer(np.arange(SIDE), at))


def _slopes(at: NDArray[np.float64]) -> NDArray[np.float64]:
    waves = np.arange(SIDE, dtype=np.float64)[:, None] * np.pi
    return -waves * np.sin(waves * at)


def _fit(canvas: _Canvas, first: Rows, second: Rows, warps: Rows, steps: int) -> tuple[Rows, Rows, Rows]:
    """Improve `warps` (M, 3, 3) in place.

    Returns (M, P) each: the first pictures, the fitted second ones, and the weights of their points.
    """
    template = first @ canvas.picture
    other = (second @ canvas.doubled).reshape(-1, 2 * canvas.points, 2 * canvas.points)
    normalised = _normalised(template)
    scale = 1 / np.sqrt((template * template).sum(1, keepdims=True) + 1e-12)
    dx, dy = (first @ canvas.slope_x) * scale, (first @ canvas.slope_y) * scale
    # (M, 8, P): six of the warp, contrast, brightness.
    directions = np.empty((len(first), 8, len(canvas.places)), dtype=np.float32)
    for at, slope in ((0, dx), (3, dy)):
        np.multiply(slope[:, None], canvas.grid, out=directions[:, at : at + 3])
    directions[:, 6] = normalised
    directions[:, 7] = 1 / np.sqrt(len(canvas.places))
    hessian = directions @ directions.swapaxes(1, 2)
    hessian[:, range(8), range(8)] += _prior()
    inverse = np.linalg.inv(hessian)
    for _ in range(steps):
        sampled, weights = _sampled(canvas, other, warps)
        error = (_normalised(sampled, weights) - normalised) * weights
        move = (inverse @ (directions @ error[:, :, None]))[:, :, 0]
        change = np.tile(np.eye(3, dtype=np.float32), (len(move), 1, 1))
        change[:, 0] += move[:, :3]
        change[:, 1] += move[:, 3:6]
        warps[:] = warps @ np.linalg.inv(change)
        is_lost = ~(np.abs(warps - np.eye(3, dtype=np.float32)).max((1, 2)) < _FARTHEST)
        warps[is_lost] = np.eye(3)
    sampled, weights = _sampled(canvas, other, warps)
    return _normalised(template, weights), _normalised(sampled, weights), weights


def _prior() -> Rows:
    """(8,) how much the fit is held back from unusual warps; a stretch moves the edge by half of what it is."""
    stretch, shift = 0.5 / _USUAL**2, 1 / _USUAL**2
    held = np.array([stretch, stretch, shift, stretch, stretch, shift, 0, 0]) * _NOISE**2
    return (held + 1e-6).astype(np.float32)


def _normalised(pictures: Rows, weights: Rows | None = None) -> Rows:
    """(M, P) with weighted mean 0 and weighted sum of squares 1; all weigh the same where no weights are given."""
    if weights is None:
        centred = pictures - pictures.mean(1, keepdims=True)
        return centred / np.sqrt((centred * centred).sum(1, keepdims=True) + 1e-12)
    centred = pictures - (pictures * weights).sum(1, keepdims=True) / weights.sum(1, keepdims=True)
    return centred / np.sqrt((centred * centred * weights).sum(1, keepdims=True) + 1e-12)


def _sampled(canvas: _Canvas, other: Rows, warps: Rows) -> tuple[Rows, Rows]:
    """(M, P) the other pictures at the warped points (bilinear), and the weights: 0 where there is nothing of them.

    Computed in place where it can be: fresh room for each step would take as long as the steps.
    """
    side = other.shape[1]
    # In pixels of the other pictures, from their middle; then from their first pixel.
    x: Rows = (warps[:, 0] * side) @ canvas.grid
    y: Rows = (warps[:, 1] * side) @ canvas.grid
    is_inside = np.maximum(np.abs(x), np.abs(y)) < side * (0.5 - _MARGIN / 2)
    for at in (x, y):
        at += side / 2 - 0.5
        np.clip(at, 0, side - 1.001, out=at)
    column, row = x.astype(np.int32), y.astype(np.int32)
    np.subtract(x, column, out=x)
    np.subtract(y, row, out=y)
    place = row * side + column
    place += np.arange(len(other), dtype=np.int32)[:, None] * (side * side)
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


def _agreement(a: Rows, b: Rows, w: Rows) -> NDArray[np.float64]:
    """(M,) the mean correlation of the parts, weighted by how much there is to see in them, less the worst few.

    The weight is the root of the energy: strong edges would decide alone, noise would decide as much as they.

    Args:
        a, b, w: (M, 16, P) the pictures and the weights of their points, in parts.
    """
    seen = w.sum(2, keepdims=True) + 1e-6
    a = a - (a * w).sum(2, keepdims=True) / seen
    b = b - (b * w).sum(2, keepdims=True) / seen
    energy = np.sqrt((a * a * w).sum(2) * (b * b * w).sum(2)) + 1e-12
    correlation = (a * b * w).sum(2) / energy
    weight = np.sqrt(energy) * energy / (energy + _EMPTY / _PARTS**2)
    worst = np.argsort(weight * (correlation - 1), 1)[:, :_IGNORED]
    np.put_along_axis(weight, worst, 0, 1)
    return ((weight * correlation).sum(1) / (weight.sum(1) + 1e-12)).astype(np.float64)


def _in_parts(canvas: _Canvas, values: Rows) -> Rows:
    """(M, P) -> (M, 16, points^2 / 16), zero where nothing is looked at."""
    whole = np.zeros((len(values), canvas.points**2), dtype=np.float32)
    whole[:, canvas.places] = values
    side = canvas.points // _PARTS
    parts: Any = whole.reshape(-1, _PARTS, side, _PARTS, side).swapaxes(2, 3)
    return parts.reshape(len(values), _PARTS**2, side**2)
