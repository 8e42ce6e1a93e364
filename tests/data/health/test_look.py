"""What a picture looks like, against slow loops, Pillow's own measures and pictures made to look so."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageFilter

from winnow.data.health.look import COLUMNS, jpeg_quality, look, looks


def encoded(image: Image.Image, **how) -> bytes:
    stored = io.BytesIO()
    image.save(stored, **({"format": "PNG"} | how))
    return stored.getvalue()


def seen(image: Image.Image, **how) -> dict[str, float]:
    return dict(zip(COLUMNS, look(encoded(image, **how)).tolist(), strict=True))


def noise(height: int = 40, width: int = 60, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_light_is_what_a_slow_loop_says():
    image = noise(9, 11)
    perceived = [
        round(math.sqrt(0.241 * r * r + 0.691 * g * g + 0.068 * b * b)) for r, g, b in image.get_flattened_data()
    ]
    found = seen(image)
    assert found["brightness"] == pytest.approx(np.mean(perceived) / 255, abs=2e-3)
    for p in (1, 5, 95, 99):
        rank = math.ceil(p / 100 * len(perceived)) - 1
        assert found[f"brightness_p{p}"] == pytest.approx(sorted(perceived)[rank] / 255)
    assert found["red"] == pytest.approx(np.mean([r for r, _, _ in image.get_flattened_data()]) / 255)
    assert found["saturation"] == pytest.approx(
        np.mean([max(rgb) - min(rgb) for rgb in image.get_flattened_data()]) / 255
    )


def test_entropy_is_pillows():
    assert seen(noise())["entropy"] == pytest.approx(noise().entropy())
    grey = noise().convert("L")
    assert seen(grey)["entropy"] == pytest.approx(grey.entropy())


def test_a_blurred_picture_is_less_sharp():
    image = noise(6, 8).resize((192, 144), Image.Resampling.NEAREST)
    levels = [seen(image.filter(ImageFilter.GaussianBlur(radius)))["sharpness"] for radius in (0, 1, 2, 4)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < 0.12 < levels[0]


def test_the_border_is_the_outermost_ring():
    pixels = np.full((64, 64, 3), 100, dtype=np.uint8)
    pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1] = ([255, 0, 0],) * 4
    found = seen(Image.fromarray(pixels))
    assert (found["border_red"], found["border_green"]) == (1.0, 0.0)
    assert found["border_spread"] == 0
    assert found["border_step"] == pytest.approx((155 + 100 + 100) / 3 / 255)


@pytest.mark.parametrize("quality", [20, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_read_from_its_table(quality: int):
    assert seen(noise(), format="JPEG", quality=quality)["jpeg_quality"] == pytest.approx(quality, abs=1)


def test_a_png_has_no_quality():
    assert seen(noise())["jpeg_quality"] == 0
    assert jpeg_quality([1] * 64) > 99


def test_place_owner_and_camera_are_read_from_exif():
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model 1"
    exif.get_ifd(0x8769)[0xA430] = "Ada"
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0), 3: "E", 4: (4.0, 5.0, 6.0)})
    found = seen(noise(), format="JPEG", exif=exif)
    assert (found["has_gps"], found["has_owner"]) == (1, 1)
    other = seen(noise(seed=1), format="JPEG", exif=exif)
    assert found["camera"] == other["camera"] != 0
    plain = seen(noise(), format="JPEG")
    assert (plain["has_gps"], plain["has_owner"], plain["camera"]) == (0, 0, 0)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 2), (3, 900), (2000, 3)])
def test_any_size_can_be_looked_at(size: tuple[int, int]):
    found = seen(noise(*size))
    assert 0 <= found["brightness"] <= 1


def test_what_is_no_picture_has_no_looks():
    assert np.isnan(look(b"nothing to see")).all()


def test_a_picture_is_looked_at_once(tmp_path):
    files = {name: encoded(noise(seed=i)) for i, name in enumerate("abc")}
    read: list[str] = []

    def reading(content: str) -> bytes:
        read.append(content)
        return files[content]

    first = looks(["a", "b", "a"], reading, tmp_path)
    again = looks(["c", "b", "a"], reading, tmp_path)
    assert sorted(read) == ["a", "b", "c"]
    np.testing.assert_array_equal(first.rows[0], again.rows[2])
    assert len(looks([], reading, tmp_path)) == 0
