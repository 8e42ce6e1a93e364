"""Convolution and pooling by hand: the numbers of the textbook examples, and torch as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import median_filter

from winnow.errors import NotFoundError, UserError
from winnow.nets.filters import FILTERS, convolve, find_filter, pool

PICTURE = torch.tensor(
    [[3.0, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]],
)


def test_a_3x3_kernel_on_a_5x5_picture():
    kernel = torch.tensor([[0, 1, 2], [2, 2, 0], [0, 1, 2]])
    assert convolve(PICTURE, kernel).tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]


def test_a_2x2_kernel_with_zero_padding_and_stride():
    picture = torch.arange(1, 17).view(4, 4)
    kernel = torch.tensor([[1, 1], [0, 2]])
    assert convolve(picture, kernel, stride=2, padding_px=1).tolist() == [[2, 6, 0], [23, 35, 8], [13, 29, 16]]


def test_pooling_of_touching_windows():
    picture = torch.arange(1.0, 17).view(4, 4)
    assert pool(picture, "max").tolist() == [[6, 8], [14, 16]]
    assert pool(picture, "min").tolist() == [[1, 3], [9, 11]]
    assert pool(picture, "sum").tolist() == [[14, 22], [46, 54]]
    assert pool(picture, "average").tolist() == [[3.5, 5.5], [11.5, 13.5]]
    assert pool(picture, "median").tolist() == [[3.5, 5.5], [11.5, 13.5]]


def test_pooling_of_overlapping_windows_agrees_with_torch_and_scipy():
    x = PICTURE[None, None]
    assert torch.equal(pool(PICTURE, "max", size_px=3, stride=1), F.max_pool2d(x, 3, 1)[0, 0])
    torch.testing.assert_close(pool(PICTURE, "average", size_px=3, stride=1), F.avg_pool2d(x, 3, 1)[0, 0])
    assert torch.equal(pool(PICTURE, "min", size_px=3, stride=1), -F.max_pool2d(-x, 3, 1)[0, 0])
    expected = median_filter(PICTURE.numpy(), size=3)[1:-1, 1:-1]
    assert np.array_equal(pool(PICTURE, "median", size_px=3, stride=1).numpy(), expected)


def test_filters_keep_an_even_surface_and_the_edge_filter_blanks_it():
    even = torch.full((5, 5), 7.0)
    for name, kernel in FILTERS.items():
        expected = 0.0 if name == "edge" else 7.0
        torch.testing.assert_close(convolve(even, kernel), torch.full((3, 3), expected), atol=1e-5, rtol=0)


def test_the_identity_changes_nothing_and_sharpening_undoes_what_it_adds():
    assert torch.equal(convolve(PICTURE, find_filter("identity"), padding_px=1), PICTURE)
    dot = torch.zeros(3, 3)
    dot[1, 1] = 1
    assert convolve(dot, find_filter("sharpen"), padding_px=1).tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


def test_a_blur_weighs_the_middle_most():
    dot = torch.zeros(5, 5)
    dot[2, 2] = 16
    assert convolve(dot, find_filter("gaussian-blur")).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_what_cannot_be_is_said():
    with pytest.raises(UserError, match="window of 6 x 6 does not fit a picture of 5 x 5"):
        pool(PICTURE, "max", size_px=6)
    with pytest.raises(UserError, match="stride of 0"):
        convolve(PICTURE, find_filter("box"), stride=0)
    with pytest.raises(UserError, match="one channel at a time"):
        convolve(torch.zeros(3, 5, 5), find_filter("box"))
    with pytest.raises(UserError, match="No pooling is called 'mode'"):
        pool(PICTURE, "mode")  # pyright: ignore[reportArgumentType]
    with pytest.raises(NotFoundError, match="Did you mean sharpen"):
        find_filter("sharpn")
