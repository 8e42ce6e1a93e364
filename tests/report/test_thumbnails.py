"""Small pictures for the page."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from winnow.report.thumbnails import data_uri, thumbnail


def test_a_photograph_becomes_a_small_jpeg_of_the_same_shape():
    pixels = np.random.default_rng(0).integers(0, 256, size=(300, 600, 3)).astype(np.uint8)
    with Image.open(BytesIO(thumbnail(pixels))) as small:
        assert (small.size, small.format) == ((96, 48), "JPEG")


def test_a_tiny_picture_is_kept_as_it_is():
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    with Image.open(BytesIO(thumbnail(pixels))) as small:
        np.testing.assert_array_equal(np.asarray(small), pixels)


def test_a_very_narrow_picture_keeps_at_least_one_pixel():
    with Image.open(BytesIO(thumbnail(np.zeros((2000, 3, 3), np.uint8)))) as small:
        assert small.size == (1, 96)


def test_only_pictures_that_browsers_show_become_addresses():
    assert (data_uri(b"\xff\xd8\xff\xe0") or "").startswith("data:image/jpeg;base64,")
    assert (data_uri(b"RIFF0000WEBPVP8 ") or "").startswith("data:image/webp;base64,")
    assert data_uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None
    assert data_uri(b"") is None
