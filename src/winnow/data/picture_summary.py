"""Seven numbers that say what kind of picture came, cheap enough to be taken of every one that is answered."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Rows: luma; red against green; yellow against blue. The last two are colours without their light.
_MIX = np.array([[0.299, 0.587, 0.114], [1, -1, 0], [0.5, 0.5, -1]], dtype=np.float32) / 255
_ROWS = 16
"""About so many rows of pixels, evenly spread, are looked at: all of them would cost as much as decoding does."""
_LEAST_CONTRAST = 1 / 255


def summary_of(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
    """What kind of picture it is; `winnow.metrics.drift.MEASURES` has words for each, in this order.

    - brightness: the mean luma, in [0, 1];
    - contrast: the standard deviation of luma, in [0, 0.5];
    - colourfulness: Hasler and Süsstrunk's, from 0 (grey) to about 1;
    - warmth: the mean of yellow against blue, in [-1, 1];
    - sharpness: how much a pixel differs from its neighbour beside it, as a share of the contrast: of noise 1.4, of an
      even area 0;
    - size: log2 of the square root of width x height;
    - shape: log2 of width / height: above 0 lying, below 0 standing.

    Args:
        pixels: (H, W, 3) as the graph sees the picture, so that all pictures have one scale.
        width: of the upright picture as its file holds it, in pixels (`Picture.full_size`).
        height: the same.

    Returns:
        (7,) float32.

    Source: luma, ITU-R BT.601; colourfulness, Hasler and Süsstrunk, Measuring colourfulness in natural images, 2003,
    equation 5.
    """
    rows = pixels[:: max(1, len(pixels) // _ROWS)]
    # By products of matrices and vectors: `mean` and `std` over pixels of three channels take ten times as long.
    light, red, yellow = _MIX @ rows.reshape(-1, 3).T.astype(np.float32, order="C")
    brightness, contrast = _mean_and_spread(light)
    mean_red, spread_red = _mean_and_spread(red)
    mean_yellow, spread_yellow = _mean_and_spread(yellow)
    is_even = contrast < _LEAST_CONTRAST
    return np.array(
        [
            brightness,
            contrast,
            math.hypot(spread_red, spread_yellow) + 0.3 * math.hypot(mean_red, mean_yellow),
            mean_yellow,
            0.0 if is_even else _mean_step(light.reshape(rows.shape[:2])) / contrast,
            math.log2(width * height) / 2,
            math.log2(width / height),
        ],
        dtype=np.float32,
    )


def _mean_and_spread(values: NDArray[np.float32]) -> tuple[float, float]:
    mean = float(np.add.reduce(values)) / len(values)
    return mean, math.sqrt(max(float(values @ values) / len(values) - mean * mean, 0.0))


def _mean_step(light: NDArray[np.float32]) -> float:
    """The root of the mean squared difference between neighbours in a row."""
    steps = (light[:, 1:] - light[:, :-1]).ravel()
    return math.sqrt(float(steps @ steps) / max(len(steps), 1))
