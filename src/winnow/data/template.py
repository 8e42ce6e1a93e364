"""Pictures that others are laid upon, and how they change with a small warp, with contrast and with brightness.

One step of the inverse compositional method for many pictures at once: all sums over points are products of matrices,
and all systems of eight equations are solved together.

Source: Baker and Matthews, Lucas-Kanade 20 Years On: A Unifying Framework, IJCV 2004.
"""

from __future__ import annotations

import numpy as np

from winnow.data.canvas import Canvas, Rows

# How far copies are usually stretched or shifted (standard deviation, of the side), and how much noise is in them.
_USUAL = 0.04
_NOISE = 0.15


class Template:
    """The first pictures, and how they change with a warp, with contrast and with brightness: eight directions.

    Attributes:
        picture: (M, P) normalised.
    """

    def __init__(self, canvas: Canvas, hashes: Rows) -> None:
        drawn = hashes @ canvas.drawing
        picture, across, down = (
            drawn[:, start : start + canvas.points] for start in range(0, drawn.shape[1], canvas.points)
        )
        scale = 1 / np.sqrt((picture * picture).sum(1, keepdims=True) + 1e-12)
        self._canvas = canvas
        self._even = np.float32(1 / np.sqrt(canvas.points))
        self._slopes = ((0, across * scale), (3, down * scale))
        self.picture = normalised(picture)
        self._normal = _factored(self._products())

    def _products(self) -> Rows:
        """(8, 8, M) the products of the directions with each other, and how much the fit is held back."""
        normal = np.zeros((8, 8, len(self.picture)), dtype=np.float32)
        for at, slope in self._slopes:
            for other_at, other in self._slopes:
                products = (slope * other) @ self._canvas.products.reshape(-1, 9)
                normal[at : at + 3, other_at : other_at + 3] = products.T.reshape(3, 3, -1)
            with_contrast = self._canvas.grid @ (slope * self.picture).T
            normal[at : at + 3, 6] = normal[6, at : at + 3] = with_contrast
            normal[at : at + 3, 7] = normal[7, at : at + 3] = self._canvas.grid @ slope.T * self._even
        normal[(6, 7), (6, 7)] = 1
        normal[range(8), range(8)] += _prior()[:, None]
        return normal

    def step(self, error: Rows) -> Rows:
        """(8, M) how far to go in each direction, so that the most of an error (M, P) goes away."""
        along = np.empty((8, len(error)), dtype=np.float32)
        for at, slope in self._slopes:
            along[at : at + 3] = self._canvas.grid @ (slope * error).T
        along[6] = (self.picture * error).sum(1)
        along[7] = error.sum(1) * self._even
        return _solved(self._normal, along)

    def change(self, moves: Rows) -> Rows:
        """(M, P) how the pictures change by these moves (8, M)."""
        changed = moves[6][:, None] * self.picture
        changed += moves[7][:, None] * self._even
        for at, slope in self._slopes:
            changed += slope * (moves[at : at + 3].T @ self._canvas.grid)
        return changed


def _factored(normal: Rows) -> Rows:
    """(8, 8, M) the factors L and D of symmetric matrices L D L^T, in their room: all matrices at once."""
    for k in range(len(normal)):
        below = normal[k + 1 :, k] / normal[k, k]
        normal[k + 1 :, k + 1 :] -= below[:, None] * normal[k, k + 1 :]
        normal[k + 1 :, k] = below
    return normal


def _solved(factors: Rows, values: Rows) -> Rows:
    """(8, M) what the matrices turn into these values."""
    for k in range(len(values)):
        values[k + 1 :] -= factors[k + 1 :, k] * values[k]
    for k in reversed(range(len(values))):
        values[k] = values[k] / factors[k, k] - (factors[k + 1 :, k] * values[k + 1 :]).sum(0)
    return values


def _prior() -> Rows:
    """(8,) how much the fit is held back from unusual warps; a stretch moves the edge by half of what it is."""
    stretch, shift = 0.5 / _USUAL**2, 1 / _USUAL**2
    held = np.array([stretch, stretch, shift, stretch, stretch, shift, 0, 0]) * _NOISE**2
    return (held + 1e-6).astype(np.float32)


def normalised(pictures: Rows, weights: Rows | None = None) -> Rows:
    """(M, P) with weighted mean 0 and weighted sum of squares 1; all weigh the same where no weights are given."""
    if weights is None:
        centred = pictures - pictures.mean(1, keepdims=True)
        return centred / np.sqrt((centred * centred).sum(1, keepdims=True) + 1e-12)
    centred = pictures - (pictures * weights).sum(1, keepdims=True) / weights.sum(1, keepdims=True)
    return centred / np.sqrt((centred * centred * weights).sum(1, keepdims=True) + 1e-12)
