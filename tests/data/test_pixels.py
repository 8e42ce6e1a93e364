"""Numbers that are pictures already."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from winnow.data.decode import decode
from winnow.data.pixels import encode_png, pixels_from_array
from winnow.errors import BadDataError

from .pictures import file_of, noise


@given(st.integers(1, 20), st.integers(1, 20), st.booleans(), st.integers(0, 2**32))
def test_what_is_encoded_decodes_to_the_same_pixels(height, width, is_grey, seed):
    pixels = noise(seed, height, width)
    if is_grey:
        pixels = np.repeat(pixels[..., :1], 3, axis=2)
    assert np.array_equal(decode(encode_png(pixels)).pixels, pixels)


def test_every_dtype_of_the_rule_gives_the_same_picture():
    pixels = noise(1)
    for array in (
        pixels,
        pixels.astype(np.float64),
        pixels.astype(np.int64),
        (pixels / 255).astype(np.float32),
        pixels.astype(np.uint16) * 257,
        Image.fromarray(pixels),
    ):
        assert np.array_equal(pixels_from_array(array), pixels)


def test_booleans_are_black_and_white():
    assert pixels_from_array(np.array([[True, False]])).tolist() == [[[255] * 3, [0] * 3]]


def test_one_three_and_four_channels_are_read():
    grey = noise(2, channels=1)
    assert np.array_equal(pixels_from_array(grey), pixels_from_array(grey[..., None]))
    see_through = np.dstack([noise(3), np.zeros((12, 16), np.uint8)])
    assert (pixels_from_array(see_through) == 255).all()


def test_an_array_with_alpha_looks_like_its_file():
    pixels = noise(4, channels=4)
    assert np.abs(pixels_from_array(pixels).astype(int) - decode(file_of(pixels)).pixels).max() <= 1


@pytest.mark.parametrize(
    ("array", "advice"),
    [
        (np.full((8, 8), 16.0), "Divide"),
        (np.full((8, 8), 1000), "Divide"),
        (np.full((8, 8), -1.5), "standardisation"),
        (np.full((8, 8), np.nan), "NaN"),
        (np.zeros((3, 8, 8)), "transpose"),
        (np.zeros((8, 8, 2)), "reshape"),
        (np.zeros((0, 8)), "reshape"),
        (np.zeros((8, 8), complex), "uint8"),
    ],
)
def test_what_is_no_picture_is_refused_with_advice(array, advice):
    with pytest.raises(BadDataError, match=advice):
        pixels_from_array(array)
