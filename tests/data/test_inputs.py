"""The network's square input."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from winnow.data.decode import decode
from winnow.data.inputs import InputSpec, read_input, to_input
from winnow.errors import UserError

from .pictures import file_of, noise


def test_a_picture_of_the_right_size_is_untouched():
    pixels = noise(1, 32, 32)
    assert np.array_equal(to_input(pixels, InputSpec(32)), pixels)


def test_squash_keeps_all_of_the_picture_as_pillow_resizes_it():
    pixels = noise(2, 40, 90)
    oracle = Image.fromarray(pixels).resize((24, 24), Image.Resampling.BILINEAR)
    assert np.array_equal(to_input(pixels, InputSpec(24)), np.asarray(oracle))


def test_crop_keeps_the_middle():
    pixels = noise(3, 24, 60)
    assert np.array_equal(to_input(pixels, InputSpec(24, "crop")), pixels[:, 18:42])


def test_a_file_read_at_the_scale_that_is_enough_looks_like_the_full_one():
    smooth = np.asarray(Image.fromarray(noise(4, 12, 16)).resize((640, 480), Image.Resampling.BICUBIC))
    data = file_of(smooth, "JPEG", quality=95)
    spec = InputSpec(96)
    difference = read_input(data, spec).astype(int) - to_input(decode(data).pixels, spec)
    assert np.abs(difference).mean() < 1


def test_a_spec_has_a_key_and_survives_json():
    spec = InputSpec(192, "crop")
    assert spec.key == "crop-192"
    assert InputSpec.from_json(spec.to_json()) == spec


def test_an_impossible_spec_says_what_is_possible():
    with pytest.raises(UserError, match="1 to 4096"):
        InputSpec(0)
