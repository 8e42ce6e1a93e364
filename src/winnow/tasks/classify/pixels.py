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
    x = pen.op("Mul", pen.op("Cast", pen.input, to=1), pen.constant(1 / 255))
    channels = 3
    if is_grey:  # all three channels are equal: one says it all
        x = pen.op("Slice", x, *(pen.constant([value], np.int64) for value in (0, 1, 3)))
        channels = 1
    dim = side_px * side_px * channels
    flat = pen.op("Reshape", x, pen.constant([-1, dim], np.int64))
    return FeatureGraph("pixels", pen.finish(flat, FEATURES, (None, dim)), InputSpec(side_px), dim)


def write_brightness(pen: GraphPen, pixels: str) -> str:
    """Pixels uint8 (N, H, W, 3) to brightness in [0, 1] (N, 1, H, W)."""
    weights = np.asarray(GREY, dtype=np.float32)[:, None] / 255
    grey = pen.op("MatMul", pen.op("Cast", pixels, to=1), pen.constant(weights))
    return pen.op("Transpose", grey, perm=[0, 3, 1, 2])
