"""Pixels and HOG as graphs, against NumPy and a slow loop written from the papers."""

from __future__ import annotations

import numpy as np
import pytest

from graph.tiny import pictures, plain_run
from winnow.graph.features import FeatureGraph
from winnow.graph.runtime import open_graph
from winnow.tasks.features.handmade import handmade_features
from winnow.tasks.features.hog import hog_features
from winnow.tasks.features.pixels import GREY, pixel_features


def rows_of(features: FeatureGraph, seen: np.ndarray) -> np.ndarray:
    """The features of pictures, the same on both engines."""
    rows = plain_run(features.graph, seen)
    assert rows.shape == (len(seen), features.dim)
    assert rows.dtype == np.float32
    assert np.abs(open_graph(features.graph).run(seen) - rows).max() < 1e-4
    return rows


def slow_hog(picture: np.ndarray, cell_px: int) -> np.ndarray:
    """HOG of one (side, side, 3) uint8 picture, pixel by pixel (Dalal and Triggs 2005; bins as scikit-image's)."""
    grey = picture.astype(np.float64) @ GREY / 255
    side = len(grey)
    n_cells = side // cell_px
    cells = np.zeros((n_cells, n_cells, 9))
    for row in range(side):
        for column in range(side):
            down = grey[row + 1, column] - grey[row - 1, column] if 0 < row < side - 1 else 0.0
            right = grey[row, column + 1] - grey[row, column - 1] if 0 < column < side - 1 else 0.0
            angle = np.rad2deg(np.arctan2(down, right)) % 180
            cells[row // cell_px, column // cell_px, int(angle // 20) % 9] += np.hypot(down, right) / cell_px**2
    blocks = []
    for row in range(n_cells - 1):
        for column in range(n_cells - 1):
            block = cells[row : row + 2, column : column + 2].ravel()
            block = np.minimum(block / np.sqrt((block**2).sum() + 1e-10), 0.2)
            blocks.append(block / np.sqrt((block**2).sum() + 1e-10))
    return np.concatenate(blocks)


@pytest.mark.parametrize(("side_px", "cell_px"), [(16, 4), (24, 8)])
def test_hog_is_that_of_the_slow_loop(side_px: int, cell_px: int):
    seen = pictures(2, seed=1, side_px=side_px)
    expected = np.stack([slow_hog(picture, cell_px) for picture in seen])
    assert rows_of(hog_features(side_px, cell_px), seen) == pytest.approx(expected, abs=1e-5)


def test_hog_of_smooth_and_of_flat_pictures():
    row, column = np.mgrid[0:16, 0:16]
    rounded = (127 + 120 * np.sin(row / 3.0) * np.cos(column / 4.0)).astype(np.uint8)
    flat = np.full((16, 16), 90, dtype=np.uint8)
    seen = np.repeat(np.stack([rounded, flat])[..., None], 3, axis=3)
    rows = rows_of(hog_features(16, 4), seen)
    assert rows[0] == pytest.approx(slow_hog(seen[0], 4), abs=2e-4)
    assert rows[1] == pytest.approx(np.zeros(rows.shape[1]), abs=1e-6)


def test_an_upright_edge_falls_into_the_first_bin_and_a_level_one_into_the_middle_one():
    upright = np.zeros((16, 16, 3), dtype=np.uint8)
    upright[:, 8:] = 255
    rows = rows_of(hog_features(16, 4), np.stack([upright, upright.transpose(1, 0, 2)])).reshape(2, -1, 9)
    assert np.flatnonzero(rows[0].sum(axis=0)).tolist() == [0]
    assert np.flatnonzero(rows[1].sum(axis=0)).tolist() == [4]


def test_which_side_of_an_edge_is_bright_does_not_matter_to_hog():
    seen = pictures(1, seed=2)
    features = hog_features(16, 4)
    assert rows_of(features, 255 - seen) == pytest.approx(rows_of(features, seen), abs=1e-3)


def test_pixels_are_the_picture_row_by_row_in_0_to_1():
    seen = pictures(3, side_px=5)
    features = pixel_features(5, is_grey=False)
    assert features.dim == 75
    assert rows_of(features, seen) == pytest.approx(seen.reshape(3, -1) / 255, abs=1e-6)


def test_grey_pictures_give_one_number_a_pixel():
    seen = np.repeat(pictures(3, side_px=5)[..., :1], 3, axis=3)
    features = pixel_features(5, is_grey=True)
    assert features.dim == 25
    assert rows_of(features, seen) == pytest.approx(seen[..., 0].reshape(3, -1) / 255, abs=1e-6)


@pytest.mark.parametrize("is_grey", [False, True])
def test_the_forests_features_are_shrunken_pixels_and_then_hog(is_grey: bool):
    seen = pictures(2, seed=3, side_px=16)
    if is_grey:
        seen = np.repeat(seen[..., :1], 3, axis=3)
    rows = rows_of(handmade_features(16, 4, 8, is_grey=is_grey), seen)
    small = (seen / 255).reshape(2, 8, 2, 8, 2, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)  # channel by channel
    small = (small[:, :1] if is_grey else small).reshape(2, -1)
    assert rows[:, : small.shape[1]] == pytest.approx(small, abs=1e-6)
    assert rows[:, small.shape[1] :] == pytest.approx(rows_of(hog_features(16, 4), seen), abs=1e-5)
