"""Plain files are decoded in a straight line: to the same pixels, and only where nothing else can be in them."""

from __future__ import annotations

import io
import random
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.plain_files import read_plain

from .pictures import file_of, noise

ORIENTED = Image.Exif()
ORIENTED[0x0112] = 6


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def grey(image_file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image_file)).convert("L")


PLAIN = {
    "png": file_of(noise(1, 30, 20)),
    "grey.png": file_of(noise(2, 30, 20, 1)),
    "stored.png": file_of(noise(3, 30, 20), compress_level=0),
    "jpg": file_of(noise(4, 50, 41), "JPEG"),
    "grey.jpg": file_of(noise(5, 50, 41, 1), "JPEG"),
    "progressive.jpg": file_of(noise(6, 50, 41), "JPEG", progressive=True),
    "restarts.jpg": file_of(noise(7, 50, 41), "JPEG", restart_marker_blocks=2),
    "full-colour.jpg": file_of(noise(8, 50, 41), "JPEG", subsampling=0),
    "comment.jpg": file_of(noise(9, 50, 41), "JPEG", comment=b"hello"),
    "rgb.jpg": file_of(noise(10, 50, 41), "JPEG", keep_rgb=True),
}
NOT_PLAIN = {
    "oriented.jpg": file_of(noise(1, 30, 20), "JPEG", exif=ORIENTED),
    "oriented.png": file_of(noise(1, 30, 20), exif=ORIENTED),
    "profile.jpg": file_of(noise(1, 30, 20), "JPEG", icc_profile=bytes(200)),
    "profile.png": file_of(noise(1, 30, 20), icc_profile=bytes(200)),
    "cmyk.jpg": file_of(Image.fromarray(noise(1, 30, 20)).convert("CMYK"), "JPEG"),
    "alpha.png": file_of(noise(1, 30, 20, 4)),
    "palette.png": file_of(Image.fromarray(noise(1, 30, 20)).convert("P")),
    "16-bit.png": file_of(noise(1, 30, 20, 1).astype(np.uint16) * 200),
    "transparent-colour.png": file_of(noise(1, 30, 20), transparency=(1, 2, 3)),
    "large.png": file_of(noise(1, 200, 200)),
    "tail.jpg": file_of(noise(1, 30, 20), "JPEG") + bytes(100),
    "two.jpg": file_of(noise(1, 30, 20), "JPEG") + file_of(noise(2, 30, 20), "JPEG"),
    "two.progressive.jpg": file_of(noise(1, 30, 20), "JPEG", progressive=True) * 2,
    "tail.png": file_of(noise(1, 30, 20)) + bytes(100),
    "other.gif": file_of(noise(1, 30, 20), "GIF"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_file_gives_the_pixels_that_pillow_gives(name: str):
    pixels, kind = read_plain(PLAIN[name]) or (None, "")
    assert np.array_equal(np.asarray(pixels), by_pillow(PLAIN[name]))
    assert kind == {"png": "PNG", "jpg": "JPEG"}[name.rpartition(".")[2]]


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_a_file_with_anything_else_in_it_is_not_taken(name: str):
    assert read_plain(NOT_PLAIN[name]) is None


def test_where_pillow_has_no_such_decoders_the_file_is_looked_at_in_full(monkeypatch: pytest.MonkeyPatch):
    decoded = [_told(data) for data in PLAIN.values()]
    monkeypatch.setattr("winnow.data.plain_files.Image", SimpleNamespace(core=object()))
    assert all(read_plain(data) is None for data in PLAIN.values())
    assert [_told(data) for data in PLAIN.values()] == decoded


def test_a_jpeg_that_may_be_decoded_smaller_is_not_taken():
    data = file_of(noise(1, 64, 80), "JPEG")
    assert read_plain(data, 33) is not None
    assert read_plain(data, 32) is None
    assert decode(data, at_least_px=32).pixels.shape == (32, 40, 3)


def test_a_png_whose_checksum_is_wrong_is_not_taken():
    data = bytearray(PLAIN["png"])
    data[-13] ^= 1  # the last of the checksum of its pixels
    assert read_plain(bytes(data)) is None
    with pytest.raises(UnreadablePictureError, match="E_CORRUPT"):
        decode(bytes(data))


def test_more_pixels_than_it_has_room_for_are_not_unpacked():
    head = bytearray(PLAIN["grey.png"])
    head[16:24] = (1 << 16).to_bytes(4, "big") * 2
    head[29:33] = zlib.crc32(head[12:29]).to_bytes(4, "big")
    assert read_plain(bytes(head)) is None


@pytest.mark.parametrize("name", PLAIN)
def test_whatever_is_damaged_ends_as_it_does_for_pillow_alone(name: str, monkeypatch: pytest.MonkeyPatch):
    damaged = [_damaged(PLAIN[name], seed) for seed in range(60)] + [PLAIN[name][:at] for at in range(1, 60)]
    damaged += [data + b"\xff\xd9" for data in damaged]
    in_a_line = [_told(data) for data in damaged]
    monkeypatch.setattr("winnow.data.decode.read_plain", lambda *_: None)
    assert in_a_line == [_told(data) for data in damaged]


def _damaged(data: bytes, seed: int) -> bytes:
    dice = random.Random(seed)
    at = dice.randrange(2, len(data) if seed % 2 else min(len(data), 200))
    match seed % 3:
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case _:
            return data[:at] + data[at + dice.randrange(1, 9) :]


def _told(data: bytes) -> object:
    try:
        picture = decode(data)
    except UnreadablePictureError as error:
        return error.code, error.reason
    return picture.pixels.tobytes(), picture.format, picture.full_size, picture.warnings, picture.taken
