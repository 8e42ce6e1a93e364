"""What a picture looks like from afar, in 128 bytes: re-encoded, resized or tinted, it still has nearly the same.

The hash is the picture itself, blurred: its lowest frequencies, one signed byte each, relative to its contrast.
`winnow.data.near_duplicates` compares hashes, also of a copy that was cropped, turned or mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Frequencies are counted in half waves across the picture. A hash holds those within a quarter circle, lowest first;
# (0, 0), the mean brightness, says nothing. Of radius 12.05, they are 128, and finer ones do not help (measured).
SIDE = 13
_u, _v = np.indices((SIDE, SIDE))
_radius = np.hypot(_u, _v)
PLACES: NDArray[np.int64] = np.argsort(_radius, axis=None, kind="stable")[1:129]
FREQUENCIES: NDArray[np.float64] = _radius.reshape(-1)[PLACES]
LENGTH = len(PLACES)

# In natural pictures amplitude falls with frequency. So weighed, all are about equally large; one in 1,000 passes 2.
STEP = 2 / 127
_LEVELS = FREQUENCIES / STEP

# Larger pictures are thinned to this: twelve half waves need no more. It also keeps all sums exact (see `phash`).
_MOST_PX = 256
# Waves and BT.601's luma as integers; 126 and not 127, because a half (cos 60 degrees) must not need rounding.
_WAVE = 126
_LUMA = (77, 150, 29)
# A wave in two directions has half the mean product with itself that a wave in one has.
_SCALE = np.where((_u > 0) & (_v > 0), 2.0, 1.0) / (_WAVE**2 * sum(_LUMA) / 2)
# Amplitudes are rounded to 1/1024 of a grey level.
_FINE = 1024
# Root of all squared amplitudes, in grey levels (of 255), below which a picture is as good as blank.
_BLANK = 2.0
# With fewer pixels a side, relative to their contrast, most pictures look like one another.
_SMALLEST_PX = 8

# A frame is as wide as this share of the side at most, and its lines stray by so many grey levels on average.
_FRAME = 0.06
_STRAY = 12
# Below this many pixels a side, a line is no thin part of it.
_FEWEST_PX = 16


def phash(pixels: NDArray[np.uint8]) -> bytes:
    """A perceptual hash: the low frequencies (DCT) of the grey picture, relative to its contrast.

    As in PDQ, but one byte of each coefficient instead of one bit, and a thin frame of one colour is left out. The
    same pixels give the same bytes on every machine.

    Args:
        pixels: (H, W, 3) RGB, 0..255.

    Returns:
        128 signed bytes in the order of `PLACES`, or none at all if there is nothing to see: all of one colour, or
        nearly so, or less than 8 pixels wide or high.

    Source: Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm, 2019.
    """
    return phash_all([pixels])[0]


def phash_all(pictures: Sequence[NDArray[np.uint8]]) -> list[bytes]:
    """`phash` of each picture; of small ones of the same size, many cost half of what one by one does."""
    hashes = [b""] * len(pictures)
    by_size: dict[tuple[int, ...], list[tuple[int, NDArray[np.uint8]]]] = {}
    for place, pixels in enumerate(pictures):
        if min(pixels.shape[:2]) < _SMALLEST_PX:
            continue
        step = -(-max(pixels.shape[:2]) // _MOST_PX)
        if step > 1:
            pixels = np.ascontiguousarray(pixels[::step, ::step])
        pixels = _without_frame(pixels)
        by_size.setdefault(pixels.shape, []).append((place, pixels))
    for (height, width, _), group in by_size.items():
        whole = b"".join([np.ascontiguousarray(pixels).data for _, pixels in group])  # half the time of `np.stack`
        pixels = np.frombuffer(whole, dtype=np.uint8).reshape(-1, height, 3 * width)
        for (place, _), one in zip(group, _hashes_of(pixels, height, width), strict=True):
            hashes[place] = one
    return hashes


def _hashes_of(pixels: NDArray[np.uint8], height: int, width: int) -> list[bytes]:
    """The hashes of (N, H, 3 W) pixels."""
    # All numbers are integers held in floats, below 2**24 in the first product and below 2**53 in the second and
    # in the squares: sums are exact, in whatever order a machine adds them up.
    down = (_down(height) @ pixels.astype(np.float32)).astype(np.float64)
    waves = (down.reshape(-1, 3 * width) @ _across(width)).reshape(-1, SIDE, SIDE)
    waves *= _SCALE * _FINE / (height * width)
    amplitudes = np.rint(waves.reshape(-1, SIDE * SIDE)[:, PLACES])
    contrast = np.sqrt((amplitudes * amplitudes).sum(1, keepdims=True))
    levels = np.rint(amplitudes * (_LEVELS / np.maximum(contrast, _BLANK)))
    hashes = np.minimum(np.maximum(levels, -127), 127).astype(np.int8)
    is_blank = (contrast < _BLANK * _FINE)[:, 0].tolist()
    return [b"" if blank else one.tobytes() for one, blank in zip(hashes, is_blank, strict=True)]


@lru_cache(2 * _MOST_PX)
def _down(height: int) -> NDArray[np.float32]:
    """(13, H): a column of pixels into waves."""
    return _waves(height).astype(np.float32)


@lru_cache(2 * _MOST_PX)
def _across(width: int) -> NDArray[np.float64]:
    """(3 W, 13): a row of RGB pixels into waves of luma."""
    return np.ascontiguousarray((_waves(width)[:, :, None] * np.array(_LUMA)).reshape(SIDE, 3 * width).T)


def _waves(n: int) -> NDArray[np.float64]:
    """(13, n) cosines of 0 to 12 half waves at the middles of n pixels, in whole 126ths; 0 where n are too few."""
    middles = (np.arange(n) + 0.5) / n
    waves = np.rint(_WAVE * np.cos(np.pi * np.outer(np.arange(SIDE), middles)))
    waves[n:] = 0
    return waves


def _without_frame(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels less a thin frame of one colour all around, if they have one."""
    height, width = pixels.shape[:2]
    down, right = height - 1, width - 1
    # Most pictures show by their corners' green that they have none.
    green = pixels.item(0, 0, 1)
    if (
        min(height, width) < _FEWEST_PX
        or abs(pixels.item(0, right, 1) - green) > _STRAY
        or abs(pixels.item(down, 0, 1) - green) > _STRAY
        or abs(pixels.item(down, right, 1) - green) > _STRAY
    ):
        return pixels
    edges: list[int] = []
    for lines in (pixels, pixels[::-1], pixels.swapaxes(0, 1), pixels[:, ::-1].swapaxes(0, 1)):
        edges.append(_thickness(lines, pixels[0, 0]))
        if not edges[-1]:
            return pixels
    return pixels[edges[0] : height - edges[1], edges[2] : width - edges[3]]


def _thickness(lines: NDArray[np.uint8], colour: NDArray[np.uint8]) -> int:
    """How many of the first lines are of this colour; 0 if it goes on: then it is a background and no frame."""
    most = math.ceil(_FRAME * len(lines))
    if _is_close(lines[most], colour):
        return 0
    return next(i for i in range(most + 1) if not _is_close(lines[i], colour))


def _is_close(values: NDArray[np.uint8], colour: NDArray[np.uint8]) -> bool:
    if values.tobytes() == colour.tobytes() * len(values):  # most that are close, in a fifth of the time
        return True
    strayed = np.abs(values - colour.astype(np.int16))
    return int(np.add.reduce(strayed, axis=None, dtype=np.int64)) <= _STRAY * strayed.size
