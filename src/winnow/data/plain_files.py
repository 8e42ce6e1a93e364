"""JPEG and PNG files that hold a small picture and nothing else, decoded in a straight line.

Of a small picture, Pillow spends more time on what might be in the file than on what is. Here only the plainest files
are taken, in which none of that can be, and go to the very decoders that Pillow would have led them to. Any doubt gives
None: then the file is looked at in full, and whatever is wrong with it is said there.
"""

from __future__ import annotations

import zlib
from struct import Struct, error

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

_MOST_BYTES = ImageFile.MAXBLOCK
"""Larger files are handed to Pillow's decoders in pieces of this size, and here in one."""
_MOST_PIXELS = 1 << 20

# T.81, annex B: the segments that say nothing but how the pixels are packed, or which program did it, and how long each
# must be at least to be one.
_TABLES, _SCAN, _JPEG_END = 0xDB, 0xDA, b"\xff\xd9"
_FRAMES = (0xC0, 0xC1, 0xC2)  # sequential or progressive, coded after Huffman
_LEAST_BYTES = {_TABLES: 2, _SCAN: 2, 0xC4: 2, 0xDD: 2, 0xFE: 2, 0xE0: 16, 0xEE: 14} | dict.fromkeys(_FRAMES, 11)
_TABLE_BYTES = 65  # its kind, and 64 numbers of 8 bits
_MODES = {1: "L", 3: "RGB"}

_PNG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
# Width, height, depth, colour, compression, filter, interlace; checksum; the first chunk's size and name.
_PNG_HEAD = Struct(">II5BII4s")
_PNG_DATA = len(_PNG_START) + _PNG_HEAD.size
_PNG_MODES = {(8, 0, 0, 0, 0): "L", (8, 2, 0, 0, 0): "RGB"}
# The last row, until it is unpacked: packed data may end before it, and Pillow's decoder does not say so.
_NO_ROW = {"L": (1, b"\1"), "RGB": ((1, 2, 1), b"\1\2\1")}
_CHECKSUM = Struct(">I")
_IDAT = zlib.crc32(b"IDAT")


def read_plain(data: bytes, at_least_px: int | None = None) -> tuple[NDArray[np.uint8], str] | None:
    """(H, W, 3) RGB of a plain file and its format, "JPEG" or "PNG"; None if it is no such file, or damaged.

    Grey or RGB of 8 bits, without EXIF, profile, transparency or a second picture, up to a megapixel. The pixels are
    those that Pillow gives.

    Args:
        data: the whole file.
        at_least_px: as for `winnow.data.decode.decode`; a JPEG that may be decoded smaller is not taken.
    """
    if len(data) > _MOST_BYTES:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data, at_least_px)
    return _png(data) if data.startswith(_PNG_START) else None


def _jpeg(data: bytes, at_least_px: int | None) -> tuple[NDArray[np.uint8], str] | None:
    if not data.endswith(_JPEG_END) or (frame := _frame(data)) is None:
        return None
    mode, width, height = frame
    if at_least_px is not None and min(width, height) >= 2 * at_least_px:
        return None
    pixels = _decoded(mode, width, height, data, "jpeg_decoder", mode, "")
    return None if pixels is None else (pixels, "JPEG")


def _frame(data: bytes) -> tuple[str, int, int] | None:
    """Mode, width and height of a JPEG, if there is nothing else to know of it."""
    frame: tuple[str, int, int] | None = None
    at, end = 2, len(data)
    while at + 4 <= end and data[at] == 0xFF:
        kind, size = data[at + 1], data[at + 2] << 8 | data[at + 3]
        start, at = at + 4, at + 2 + size
        if at > end or size < _LEAST_BYTES.get(kind, 1 << 16):
            return None
        if kind == _SCAN:  # an end before the last bytes is the picture's, and what follows it another's
            return frame if data.find(_JPEG_END, at) == end - 2 else None
        if kind == _TABLES and ((size - 2) % _TABLE_BYTES or any(one >> 4 for one in data[start:at:_TABLE_BYTES])):
            return None
        if kind in _FRAMES:
            layers = data[start + 5]
            if frame is not None or size != 8 + 3 * layers or layers not in _MODES or data[start] != 8:
                return None
            height, width = data[start + 1] << 8 | data[start + 2], data[start + 3] << 8 | data[start + 4]
            frame = _MODES[layers], width, height
    return None


def _png(data: bytes) -> tuple[NDArray[np.uint8], str] | None:
    try:
        width, height, *about, checksum, size, name = _PNG_HEAD.unpack_from(data, len(_PNG_START))
        (data_checksum,) = _CHECKSUM.unpack_from(data, end := _PNG_DATA + size)
    except error:
        return None
    mode = _PNG_MODES.get(tuple(about))
    if mode is None or name != b"IDAT" or data[end + _CHECKSUM.size :] != _PNG_END:
        return None
    packed = data[_PNG_DATA:end]
    if zlib.crc32(data[12:29]) != checksum or zlib.crc32(packed, _IDAT) != data_checksum:
        return None
    pixels = _decoded(mode, width, height, packed, "zip_decoder", mode)
    return None if pixels is None else (pixels, "PNG")


def _decoded(
    mode: str, width: int, height: int, data: bytes, decoder: str, *arguments: str
) -> NDArray[np.uint8] | None:
    if not 0 < width * height <= _MOST_PIXELS:
        return None
    size, whole = (width, height), (0, 0, width, height)
    # What `Image.frombytes` and `Image.tobytes` do, less what they do for other pictures: a sixth of the time that a
    # picture of 64 pixels takes. Should there be no such decoders, or the decoders answer hostile bytes with almost
    # anything (see `winnow.data.decode`), the file is looked at in full.
    try:
        image = Image.core.new(mode, size)
        if decoder == "zip_decoder":
            image.paste(_NO_ROW[mode][0], (0, height - 1, width, height))
        reader = getattr(Image.core, decoder)(mode, *arguments)
        reader.setimage(image, whole)
        n_used, problem = reader.decode(data)
        if n_used >= 0 or problem:  # it wants more data, or none of this
            return None
        writer = Image.core.raw_encoder(mode, mode, 0, 1)
        writer.setimage(image, whole)
        n_bytes, is_done, values = writer.encode(width * height * len(mode))
    except Exception:
        return None
    if is_done != 1 or n_bytes != width * height * len(mode):
        return None
    if decoder == "zip_decoder" and values.endswith(_NO_ROW[mode][1]) and values.endswith(_NO_ROW[mode][1] * width):
        return None
    if mode == "L":
        pixels = np.empty((height, width, 3), dtype=np.uint8)
        pixels[:] = np.frombuffer(values, dtype=np.uint8).reshape(height, width, 1)
        return pixels
    return np.frombuffer(values, dtype=np.uint8).reshape(height, width, 3)
