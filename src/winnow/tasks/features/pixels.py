"""Raw pixels as features: the picture made small, its numbers in a row."""

from __future__ import annotations

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.graph.build import GraphPen
from winnow.graph.features import FeatureGraph
from winnow.graph.join import FEATURES, PIXELS

GREY = (0.299, 0.587, 0.114)
"""How bright red, green and blue look (ITU-R BT.601)."""


def pixel_features(side_px: int, *, is_grey: bool) -> FeatureGraph:
    """Pixels in [0, 1]: side * side numbers where all pictures are grey, three times as many in colour."""
    pen = GraphPen(PIXELS, (None, side_px, side_px, 3), np.uint8)
    flat, dim = write_pixels(pen, pen.input, side_px, is_grey=is_grey)
    return FeatureGraph("pixels", pen.finish(flat, FEATURES, (None, dim)), InputSpec(side_px), dim)


def write_pixels(pen: GraphPen, pixels: str, side_px: int, *, is_grey: bool, shrink: int = 1) -> tuple[str, int]:
    """Pixels uint8 (N, side, side, 3) to numbers in [0, 1] (N, D); gives D, too.

    Args:
        is_grey: all three channels are equal, so one says it all.
        shrink: average squares of this many pixels first.
    """
    x = pen.op("Mul", pen.op("Cast", pixels, to=1), pen.constant(1 / 255))
    channels = 3
    if is_grey:
        x = pen.op("Slice", x, *(pen.constant([value], np.int64) for value in (0, 1, 3)))
        channels = 1
    if shrink > 1:
        x = pen.op("Transpose", x, perm=[0, 3, 1, 2])
        x = pen.op("AveragePool", x, kernel_shape=[shrink] * 2, strides=[shrink] * 2)
    dim = (side_px // shrink) ** 2 * channels
    return pen.op("Reshape", x, pen.constant([-1, dim], np.int64)), dim


def write_brightness(pen: GraphPen, pixels: str) -> str:
    """Pixels uint8 (N, H, W, 3) to brightness in [0, 1] (N, 1, H, W)."""
    weights = np.asarray(GREY, dtype=np.float32)[:, None] / 255
    grey = pen.op("MatMul", pen.op("Cast", pixels, to=1), pen.constant(weights))
    return pen.op("Transpose", grey, perm=[0, 3, 1, 2])
