"""Pictures drawn from their perceptual hashes: blurred, small, at the points that a comparison looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from winnow.data.phash import FREQUENCIES, PLACES, SIDE

Rows = NDArray[np.float32]

# This much of each side is not looked at: what is there may be cropped away in the other.
MARGIN = 0.06
# Pictures are compared in 4 x 4 parts.
PARTS = 4


@dataclass(frozen=True)
class Canvas:
    """P points of a square that are looked at, and what draws hashes there.

    Attributes:
        drawing: (128, 3 P) the picture, its slope across, its slope down.
        grid: (3, P) how far each point lies from the middle, across and down, as a share of the side; and 1.
        products: (P, 3, 3) of each point's row of the grid with itself.
        parts: (P, 16) 1 where a point lies in a part, else 0.
        side: of the whole square at double size, in points.
        whole: (128, side^2) draws that.
    """

    drawing: Rows
    grid: Rows
    products: Rows
    parts: Rows
    side: int
    whole: Rows

    @property
    def points(self) -> int:
        """P."""
        return self.grid.shape[1]


@lru_cache(8)
def canvas_within(most: float, points: int) -> Canvas:
    """`points` a side, all of them off the edge; waves above the frequency `most` are faint."""
    return _canvas(most, MARGIN + (1 - 2 * MARGIN) * _middles(points), 0)


@lru_cache(8)
def canvas_of_whole(most: float, points: int) -> Canvas:
    """Those of `points` a side of the whole square that are off the edge; waves above `most` are faint."""
    at = _middles(points)
    return _canvas(most, at[(at > MARGIN) & (at < 1 - MARGIN)], 2 * points)


def _canvas(most: float, at: NDArray[np.float64], side: int) -> Canvas:
    # The square root of the frequency weighs the picture between its brightness and its edges.
    weights = 1 / np.sqrt(FREQUENCIES) / (1 + (FREQUENCIES / most) ** 8)
    u, v = PLACES // SIDE, PLACES % SIDE

    def drawn(down: NDArray[np.float64], across: NDArray[np.float64]) -> Rows:
        drawing = down[u][:, :, None] * across[v][:, None, :] * weights[:, None, None]
        return drawing.reshape(len(u), -1).astype(np.float32)

    waves, slopes, whole = _cosines(at), _slopes(at), _cosines(_middles(side))
    y, x = (axis.reshape(-1).astype(np.float32) - np.float32(0.5) for axis in np.meshgrid(at, at, indexing="ij"))
    grid = np.stack([x, y, np.ones_like(x)])
    row, column = ((axis + 0.5) * PARTS // 1 for axis in (y, x))
    return Canvas(
        drawing=np.concatenate([drawn(waves, waves), drawn(waves, slopes), drawn(slopes, waves)], axis=1),
        grid=grid,
        products=np.ascontiguousarray(np.einsum("ip,jp->pij", grid, grid)),
        parts=(np.arange(PARTS**2) == (PARTS * row + column)[:, None]).astype(np.float32),
        side=side,
        whole=drawn(whole, whole),
    )


def _middles(n: int) -> NDArray[np.float64]:
    return (np.arange(n) + 0.5) / n if n else np.zeros(0)


def _cosines(at: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cos(np.pi * np.outer(np.arange(SIDE), at))


def _slopes(at: NDArray[np.float64]) -> NDArray[np.float64]:
    waves = np.arange(SIDE, dtype=np.float64)[:, None] * np.pi
    return -waves * np.sin(waves * at)
