"""The perceptual hash: the same for what looks the same, exact on every machine, silent about nothing to see."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from winnow.data.phash import FREQUENCIES, LENGTH, PLACES, SIDE, STEP, phash

from .pictures import noise

PINNED = "fb01e80a00d804dbfd051906ef1a04fcf1e9e50c06f9cdf1080a2502230902ec"


def picture(seed: int, side: int = 96) -> np.ndarray:
    image = Image.fromarray(noise(seed, 9, 9))
    return np.asarray(image.resize((side, side * 3 // 4), Image.Resampling.BICUBIC))


def levels(pixels: np.ndarray) -> np.ndarray:
    return np.frombuffer(phash(pixels), np.int8).astype(float)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    a, b = levels(one), levels(other)
    return float(a @ b / np.sqrt(a @ a * (b @ b)))


def test_it_holds_the_low_frequencies_of_scipys_dct():
    pixels = picture(1, 64)
    grey = pixels @ np.array([77, 150, 29]) / 256
    waves = dctn(grey, norm="forward")[:SIDE, :SIDE]
    # scipy gives mean products with waves: an amplitude is twice that for each direction it waves in.
    waves[1:, :] *= 2
    waves[:, 1:] *= 2
    amplitudes = waves.reshape(-1)[PLACES]
    expected = amplitudes * FREQUENCIES / np.sqrt(np.square(amplitudes).sum()) / STEP
    assert np.abs(levels(pixels) - expected).max() <= 1


def test_it_is_a_byte_for_each_of_128_frequencies_the_lowest_first():
    assert len(phash(picture(1))) == LENGTH == 128
    assert np.all(np.diff(FREQUENCIES) >= 0)
    assert FREQUENCIES[0] == 1


def test_two_pictures_have_two_hashes():
    assert abs(likeness(picture(1), picture(2))) < 0.5


@pytest.mark.parametrize("side", [24, 48, 192, 1500])
def test_size_does_not_matter(side):
    small = Image.fromarray(picture(1)).resize((side, side), Image.Resampling.BICUBIC)
    assert likeness(picture(1), np.asarray(small)) > 0.99


def test_neither_jpeg_nor_brightness_nor_colour_matters_much():
    image = Image.fromarray(picture(1))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=40)
    assert likeness(picture(1), np.asarray(Image.open(buffer))) > 0.99
    assert likeness(picture(1), (picture(1) * 0.7).astype(np.uint8)) > 0.99
    assert likeness(picture(1), np.asarray(image.convert("L").convert("RGB"))) > 0.99


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
def test_a_thin_frame_is_left_out(colour):
    framed = np.empty((78, 102, 3), np.uint8)
    framed[:] = colour
    framed[3:-3, 3:-3] = picture(1)
    assert phash(framed) == phash(picture(1))


def test_a_broad_background_is_no_frame():
    digit = np.zeros((28, 28, 3), np.uint8)
    digit[8:20, 8:20] = picture(1, 16)[:12, :12]
    assert phash(digit) != phash(digit[2:-2, 2:-2])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (5, 7)])
def test_any_shape_has_a_hash_or_none(shape):
    assert len(phash(noise(1, *shape))) in (0, LENGTH)


def test_there_is_nothing_to_see_in_one_colour_or_nearly_one():
    flat = np.full((64, 64, 3), 120, np.uint8)
    assert phash(flat) == b""
    assert phash(flat + noise(1, 64, 64) % 3) == b""


def test_the_bytes_are_the_same_on_every_machine():
    # All sums are sums of integers: neither their order nor the processor changes them.
    strip = np.arange(64 * 48 * 3, dtype=np.int64).reshape(48, 64, 3)
    pixels = ((strip * strip // 7) % 251).astype(np.uint8)
    assert phash(pixels).hex()[:64] == PINNED
    assert phash(np.asfortranarray(pixels)) == phash(pixels)


def test_a_small_picture_takes_microseconds():
    pixels = noise(1, 32, 32)
    phash(pixels)
    best = min(_seconds(pixels) for _ in range(20))
    assert best < 100e-6  # 14 on one core at rest


def _seconds(pixels: np.ndarray) -> float:
    start = time.thread_time()
    phash(pixels)
    return time.thread_time() - start
