"""Pixels and histograms of oriented gradients side by side: colour, layout and edges in one row."""

from __future__ import annotations

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.graph.build import GraphPen
from winnow.graph.features import FeatureGraph
from winnow.graph.join import FEATURES, PIXELS
from winnow.tasks.features.hog import write_hog
from winnow.tasks.features.pixels import write_pixels


def handmade_features(side_px: int, cell_px: int, pixels_px: int, *, is_grey: bool) -> FeatureGraph:
    """HOG of the picture at `side_px` with its pixels, averaged down to about `pixels_px`, beside it."""
    pen = GraphPen(PIXELS, (None, side_px, side_px, 3), np.uint8)
    shrink = max(1, side_px // pixels_px)
    pixels, n_pixels = write_pixels(pen, pen.input, side_px, is_grey=is_grey, shrink=shrink)
    hog, n_hog = write_hog(pen, pen.input, side_px, cell_px)
    dim = n_pixels + n_hog
    both = pen.op("Concat", pixels, hog, axis=1)
    return FeatureGraph("pixels and hog", pen.finish(both, FEATURES, (None, dim)), InputSpec(side_px), dim)
