"""Histograms of oriented gradients: which way the edges run, cell by cell; the best hand-made features of old."""

from __future__ import annotations

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.graph.build import GraphPen
from winnow.graph.features import FeatureGraph
from winnow.graph.join import FEATURES, PIXELS
from winnow.tasks.features.pixels import write_brightness

ORIENTATIONS = 9
BLOCK = 2
_EPS = 1e-5


def hog_features(side_px: int, cell_px: int) -> FeatureGraph:
    """HOG as one ONNX graph: unsigned gradients in 9 bins of 20 degrees, cells, 2 x 2 blocks of L2-Hys length.

    Each pixel's gradient goes whole into its bin (as scikit-image has it; the paper shares it between neighbours).

    Args:
        side_px: the picture's side, a multiple of `cell_px`.
        cell_px: the side of a cell.

    Source: Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005.
    """
    pen = GraphPen(PIXELS, (None, side_px, side_px, 3), np.uint8)
    flat, dim = write_hog(pen, pen.input, side_px, cell_px)
    return FeatureGraph("hog", pen.finish(flat, FEATURES, (None, dim)), InputSpec(side_px), dim)


def write_hog(pen: GraphPen, pixels: str, side_px: int, cell_px: int) -> tuple[str, int]:
    """Pixels uint8 (N, side, side, 3) to their histograms (N, D); gives D, too."""
    x, y = _write_gradients(pen, write_brightness(pen, pixels))
    strength = pen.op("Sqrt", pen.op("Add", pen.op("Mul", x, x), pen.op("Mul", y, y)))
    votes = pen.op("Mul", _write_bins(pen, x, y), strength)
    cells = pen.op("AveragePool", votes, kernel_shape=[cell_px] * 2, strides=[cell_px] * 2)
    n_blocks = side_px // cell_px - BLOCK + 1
    blocks = _write_blocks(pen, cells, n_blocks)
    dim = n_blocks * n_blocks * BLOCK * BLOCK * ORIENTATIONS
    return pen.op("Reshape", blocks, pen.constant([-1, dim], np.int64)), dim


def _write_gradients(pen: GraphPen, grey: str) -> tuple[str, str]:
    """Central differences (N, 1, H, W) along x and y; 0 at the rim, where one neighbour is missing."""
    kernel_x, kernel_y = np.zeros((2, 1, 1, 3, 3), dtype=np.float32)
    kernel_x[0, 0, 1] = kernel_y[0, 0, :, 1] = (-1, 0, 1)
    padding = pen.constant([0, 0, 1, 0, 0, 0, 1, 0], np.int64), pen.constant([0, 0, 0, 1, 0, 0, 0, 1], np.int64)

    def difference(kernel: np.ndarray, pads: list[int], rim: str) -> str:
        inner = pen.op("Conv", grey, pen.constant(kernel), pads=pads)
        return pen.op("Pad", inner, rim)

    # Along x the first and last column have no central difference; along y the first and last row.
    along_x = difference(kernel_x, [1, 0, 1, 0], padding[1])
    along_y = difference(kernel_y, [0, 1, 0, 1], padding[0])
    return along_x, along_y


def _write_bins(pen: GraphPen, x: str, y: str) -> str:
    """1 for the bin (N, 9, H, W) that holds each pixel's direction, modulo 180 degrees, and 0 for the others.

    Without an arctangent: turn the gradient into the upper half plane; its direction is past the angle a exactly
    if cos(a) y - sin(a) x >= 0. Bin k is past its start and not past its end.
    """
    zero = pen.constant(0)
    down = pen.op("Or", pen.op("Less", y, zero), pen.op("And", pen.op("Equal", y, zero), pen.op("Less", x, zero)))
    sign = pen.op("Where", down, pen.constant(-1), pen.constant(1))
    angles = np.pi * np.arange(1, ORIENTATIONS) / ORIENTATIONS
    turned_y = pen.op("Mul", pen.op("Mul", y, sign), pen.constant(np.cos(angles).reshape(1, -1, 1, 1)))
    turned_x = pen.op("Mul", pen.op("Mul", x, sign), pen.constant(np.sin(angles).reshape(1, -1, 1, 1)))
    past = pen.op("Cast", pen.op("GreaterOrEqual", pen.op("Sub", turned_y, turned_x), zero), to=1)
    # past = (p1 .. p8), decreasing: bin 0 is 1 - p1, bin k is p_k - p_(k+1), bin 8 is p8.
    last = pen.constant([0, 0, 0, 0, 0, 1, 0, 0], np.int64), pen.constant([0, 1, 0, 0, 0, 0, 0, 0], np.int64)
    starts = pen.op("Pad", past, last[1], pen.constant(1))
    ends = pen.op("Pad", past, last[0], zero)
    return pen.op("Sub", starts, ends)


def _write_blocks(pen: GraphPen, cells: str, n_blocks: int) -> str:
    """Cells (N, 9, c, c) to blocks (N, n_blocks, n_blocks, 4, 9) of unit length, clipped at 0.2 and again."""
    corners = [
        pen.op(
            "Slice",
            cells,
            pen.constant([row, column], np.int64),
            pen.constant([row + n_blocks, column + n_blocks], np.int64),
            pen.constant([2, 3], np.int64),
        )
        for row in range(BLOCK)
        for column in range(BLOCK)
    ]
    size = BLOCK * BLOCK * ORIENTATIONS
    blocks = pen.op("Concat", *corners, axis=1)  # (N, 36, n_blocks, n_blocks), corner by corner
    blocks = pen.op("Transpose", blocks, perm=[0, 2, 3, 1])
    blocks = pen.op("Reshape", blocks, pen.constant([-1, n_blocks, n_blocks, size], np.int64))
    for clip in (0.2, None):  # L2-Hys: unit length, clip, unit length again
        squares = pen.op("ReduceSumSquare", blocks, pen.constant([3], np.int64), keepdims=1)
        blocks = pen.op("Div", blocks, pen.op("Sqrt", pen.op("Add", squares, pen.constant(_EPS**2))))
        if clip is not None:
            blocks = pen.op("Min", blocks, pen.constant(clip))
    return blocks
