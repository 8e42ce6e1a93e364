"""What a picture looks like from afar, in 128 bytes: copies of it, re-encoded or resized, have nearly the same ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Frequencies a side, in half waves across the picture; the mean brightness (0, 0) says nothing.
SIDE = 16
# Larger pictures are thinned to this: 16 half waves need no more. It also keeps all sums exact (below).
_MOST_PX = 256
# BT.601 in 256ths.
_LUMA = (77, 150, 29)
# Waves in whole 127ths, so that every product is an integer.
_WAVE = 127
# Root mean square of the waves in grey levels (of 255) below which a picture is as good as blank.
_BLANK = 1.0


def phash(pixels: NDArray[np.uint8]) -> bytes:
    """A perceptual hash: the low frequencies of the grey picture, relative to its contrast.

    The 16 x 16 lowest coefficients of a DCT (as in PDQ), but four bits of each instead of one.

    Args:
        pixels: (H, W, 3) RGB, 0..255.

    Returns:
        128 bytes, or none at all for a picture without anything to see (constant or nearly so).

    Source: Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm, 2019.
    """
    step = -(-max(pixels.shape[:2]) // _MOST_PX)
    if step > 1:
        pixels = pixels[::step, ::step]
    height, width = pixels.shape[:2]
    # All numbers are integers held in floats, below 2**24 after the first product and 2**53 after the second:
    # sums are exact, in whatever order and on whatever machine.
    values = pixels.reshape(height, 3 * width).astype(np.float32)
    waves = (_down(height) @ values).astype(np.float64) @ _across(width)
    waves /= height * width * (_WAVE * _WAVE * sum(_LUMA) / 2)
    waves[0, 0] = 0
    contrast = float(np.sqrt(np.square(waves).sum()))
    if contrast < _BLANK:
        return b""
    levels = np.clip(np.floor(waves * (_WHITENING / contrast)), -8, 7).astype(np.int8) + 8
    return (levels[:, ::2] << 4 | levels[:, 1::2]).astype(np.uint8).tobytes()


_FREQUENCY = np.hypot(*np.indices((SIDE, SIDE)))
# In natural pictures amplitude falls with frequency; so weighed, all coefficients say about as much.
_WHITENING = 8 * np.maximum(_FREQUENCY, 1)


def _waves(n: int) -> NDArray[np.float64]:
    """(16, n) cosines of 0 to 15 half waves at the middles of n pixels, in whole 127ths."""
    middles = (np.arange(n) + 0.5) / n
    return np.rint(_WAVE * np.cos(np.pi * np.outer(np.arange(SIDE), middles)))


@lru_cache(2 * _MOST_PX)
def _down(height: int) -> NDArray[np.float32]:
    return _waves(height).astype(np.float32)


@lru_cache(2 * _MOST_PX)
def _across(width: int) -> NDArray[np.float64]:
    """(3 width, 16): luma and waves in one."""
    return np.ascontiguousarray((_waves(width)[:, :, None] * np.array(_LUMA)).reshape(SIDE, 3 * width).T)
