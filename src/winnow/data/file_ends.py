"""Does a picture file hold what its format says, whole and nothing else? What decoders themselves do not look at."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

_PNG_SIGNATURE_BYTES = 8
# Text and profiles beyond this are no description of a picture.
_MOST_METADATA_BYTES = 1 << 20
# Cameras and editors pad files; a few bytes after the end mean nothing.
_PADDING_BYTES = 64
_UNPACKED_BYTES = 1 << 20
# PNG specification, sections 8.2 (first column and row of each pass, and the steps between) and 11.2.1.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_ALL_AT_ONCE = ((0, 0, 1, 1),)
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_WIDTH, _HEIGHT, _SAMPLES_PER_PIXEL, _PLANAR, _LAYER_BY_LAYER = 256, 257, 277, 284, 2
_STRIP_OFFSETS, _ROWS_PER_STRIP = 273, 278
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS = 322, 323, 324
# T.81, B.1.1.3: not what is inside a scan, a stuffed byte or a restart. Its length follows, but for the end's.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END = 0xD9
_GIF_FRAME, _GIF_EXTENSION, _GIF_TRAILER = 0x2C, 0x21, b";"


def check_end(data: bytes, kind: str) -> tuple[str, bool] | None:
    """A code and whether the picture is good all the same; None if nothing is odd.

    W_TRAILING_DATA: something follows the picture, perhaps another file. W_BAD_METADATA: a PNG carries huge
    metadata. E_CORRUPT: the checksum of a PNG's pixels is wrong (Pillow looks at those of the other chunks only).

    Args:
        data: the whole file, which was decoded without an error.
        kind: its format; nothing is said of others than "PNG", "JPEG", "GIF" and "WEBP".
    """
    if kind == "PNG":
        return _png(data)
    tail_bytes = _TAILS[kind](data) if kind in _TAILS else 0
    return ("W_TRAILING_DATA", True) if tail_bytes > _PADDING_BYTES else None


def lacks_rows(data: bytes) -> bool:
    """Do the packed pixels of a PNG, which was decoded without an error, end before its last row?

    Pillow leaves the rows that are not there black and says nothing.
    """
    width, height, depth, colour, _, _, is_interlaced = struct.unpack_from(">II5B", data, 16)
    row_bits = depth * _PNG_CHANNELS[colour]
    missing = 0
    for left, top, across, down in _ADAM7 if is_interlaced else _ALL_AT_ONCE:
        columns, rows = len(range(left, width, across)), len(range(top, height, down))
        missing += rows * (1 + (columns * row_bits + 7) // 8) if columns else 0
    unpack = zlib.decompressobj()
    for kind, start, end in _png_chunks(data):
        packed = data[start:end] if kind == b"IDAT" else b""
        while packed and missing > 0:
            missing -= len(unpack.decompress(packed, _UNPACKED_BYTES))
            packed = unpack.unconsumed_tail
    return missing > len(unpack.flush())


def lacks_tiles(tags: Mapping[int, Any]) -> bool:
    """Does a TIFF, by its tags, hold fewer strips or tiles than it has pixels for?

    Pillow leaves what is not there black and says nothing.

    Source: TIFF revision 6.0, sections 8 (StripOffsets) and 15 (tiles).
    """
    width, height = tags[_WIDTH], tags[_HEIGHT]
    if _TILE_OFFSETS in tags:
        across, down, offsets = tags[_TILE_WIDTH], tags[_TILE_HEIGHT], tags[_TILE_OFFSETS]
    else:
        across, down, offsets = width, min(tags.get(_ROWS_PER_STRIP, height), height), tags.get(_STRIP_OFFSETS)
    if not isinstance(offsets, tuple):  # a JPEG in a TIFF of old style has none
        return False
    layers = tags.get(_SAMPLES_PER_PIXEL, 1) if tags.get(_PLANAR) == _LAYER_BY_LAYER else 1
    return len(cast("tuple[int, ...]", offsets)) < layers * -(-width // across) * -(-height // down)


def has_damaged_png_header(data: bytes) -> bool:
    """Is the first chunk an IHDR with a wrong checksum, or of an impossible kind of pixels (section 11.2.1)?"""
    if data[12:16] != b"IHDR" or len(data) < 33:
        return False
    depth, colour = data[24], data[25]
    is_right = zlib.crc32(data[12:29]) == struct.unpack_from(">I", data, 29)[0]
    return not is_right or depth not in _PNG_DEPTHS.get(colour, ())


def _png(data: bytes) -> tuple[str, bool] | None:
    at = _PNG_SIGNATURE_BYTES
    metadata_bytes = 0
    for kind, start, end in _png_chunks(data):
        if kind == b"IDAT":
            if zlib.crc32(memoryview(data)[start - 4 : end]) != struct.unpack_from(">I", data, end)[0]:
                return "E_CORRUPT", False
        elif kind[0] & 0x20 and kind != b"fdAT":  # lower case: ancillary; the second: an animation's later frames
            metadata_bytes += end - start
        at = end + 4
    if metadata_bytes > _MOST_METADATA_BYTES:
        return "W_BAD_METADATA", True
    return ("W_TRAILING_DATA", True) if len(data) - at > _PADDING_BYTES else None


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each whole chunk's type, and where what it holds begins and ends, up to IEND.

    PNG specification, third edition, section 5.3: length, type, data, CRC.
    """
    at, kind = _PNG_SIGNATURE_BYTES, b""
    while at + 12 <= len(data) and kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", data, at)
        start, at = at + 8, at + 12 + size
        if at <= len(data):
            yield kind, start, start + size


def _jpeg_tail_bytes(data: bytes) -> int:
    """How much follows the end of a JPEG (ITU T.81, annex B); 0 if the end is missing."""
    at = 2
    while (marker := _JPEG_MARKER.search(data, at)) is not None:
        at = marker.end()
        if data[at - 1] == _END:
            return len(data) - at
        at += int.from_bytes(data[at : at + 2], "big")
    return 0


def _gif_tail_bytes(data: bytes) -> int:
    """How much follows the trailer of a GIF (GIF89a, sections 18 to 27); 0 if it is missing."""
    at = 13 + _gif_colours_bytes(data[10])
    while at + 10 <= len(data) and data[at] in (_GIF_FRAME, _GIF_EXTENSION):
        at += 11 + _gif_colours_bytes(data[at + 9]) if data[at] == _GIF_FRAME else 2
        while at < len(data) and data[at]:  # blocks, each after its size
            at += 1 + data[at]
        at += 1
    return len(data) - at - 1 if data[at : at + 1] == _GIF_TRAILER else 0


def _gif_colours_bytes(flags: int) -> int:
    return 3 << 1 + (flags & 7) if flags & 0x80 else 0


def _webp_tail_bytes(data: bytes) -> int:
    """How much follows the file inside a file that WebP is (RFC 9649, section 2.4)."""
    return len(data) - 8 - int.from_bytes(data[4:8], "little")


_TAILS = {"JPEG": _jpeg_tail_bytes, "GIF": _gif_tail_bytes, "WEBP": _webp_tail_bytes}
