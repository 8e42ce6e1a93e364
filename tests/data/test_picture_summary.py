"""The numbers that say what kind of picture came agree with slow, plain ways to compute them."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.data.picture_summary import summary_of
from winnow.metrics.drift import MEASURES

NAMES = [measure.name for measure in MEASURES]


def measured(pixels, width=640, height=480):
    return dict(zip(NAMES, summary_of(pixels, width, height).tolist(), strict=True))


def test_it_agrees_with_plain_formulas_over_the_rows_that_it_looks_at():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 40, 3), dtype=np.uint8)  # all of 16 rows are looked at
    R, G, B = (pixels[..., channel] / 255 for channel in range(3))
    luma, red, yellow = 0.299 * R + 0.587 * G + 0.114 * B, R - G, (R + G) / 2 - B
    told = measured(pixels)
    assert told["brightness"] == pytest.approx(luma.mean(), abs=1e-6)
    assert told["contrast"] == pytest.approx(luma.std(), abs=1e-5)
    colours = np.hypot(red.std(), yellow.std()) + 0.3 * np.hypot(red.mean(), yellow.mean())
    assert told["colourfulness"] == pytest.approx(colours, abs=1e-5)
    assert told["warmth"] == pytest.approx(yellow.mean(), abs=1e-6)
    assert told["sharpness"] == pytest.approx(np.sqrt((np.diff(luma) ** 2).mean()) / luma.std(), abs=1e-5)


def test_an_even_picture_has_neither_contrast_nor_sharpness():
    told = measured(np.full((8, 8, 3), 51, dtype=np.uint8))
    assert told["brightness"] == pytest.approx(0.2, abs=1e-6)
    assert [told[name] for name in ("contrast", "colourfulness", "warmth", "sharpness")] == pytest.approx(
        [0, 0, 0, 0], abs=1e-3
    )


def test_blurring_lowers_sharpness_alone_as_half_the_light_lowers_brightness_and_contrast_alone():
    noise = np.random.default_rng(1).integers(0, 250, (64, 64, 3)).astype(np.float64)
    smooth = (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 2, axis=1)) / 3
    plain, blurred, dark = (measured(one.astype(np.uint8)) for one in (noise, smooth, noise / 2))
    assert blurred["sharpness"] < 0.7 * plain["sharpness"]
    assert blurred["brightness"] == pytest.approx(plain["brightness"], abs=0.01)
    assert dark["brightness"] == pytest.approx(plain["brightness"] / 2, abs=0.01)
    assert dark["sharpness"] == pytest.approx(plain["sharpness"], abs=0.02)


def test_size_and_shape_are_those_of_the_file():
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    assert measured(pixels, 4096, 1024) | {"size": 11, "shape": 2} == measured(pixels, 4096, 1024)
    assert measured(pixels, 100, 200)["shape"] == -1


@pytest.mark.parametrize("side", [1, 2, 7, 28, 65])
def test_pictures_of_any_size_give_finite_numbers(side):
    pixels = np.random.default_rng(2).integers(0, 256, (side, side, 3), dtype=np.uint8)
    assert np.isfinite(summary_of(pixels, 1, 1)).all()
