"""Does a picture file hold what its format says, whole and nothing else? What decoders themselves do not look at."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_PNG_SIGNATURE_BYTES = 8
# Text and profiles beyond this are no description of a picture.
_MOST_METADATA_BYTES = 1 << 20
# Cameras and editors pad files; a few bytes after the end mean nothing.
_PADDING_BYTES = 64
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_START_OF_SCAN, _END = 0xDA, 0xD9


def check_end(data: bytes, kind: str) -> tuple[str, bool] | None:
    """A code and whether the picture is good all the same; None if nothing is odd.

    W_TRAILING_DATA: something follows the picture, perhaps another file. W_BAD_METADATA: a PNG carries huge
    metadata. E_CORRUPT: the checksum of a PNG's pixels is wrong (Pillow looks at those of the other chunks only).

    Args:
        data: the whole file, which was decoded without an error.
        kind: its format, "PNG" or "JPEG"; nothing is said of others.
    """
    if kind == "PNG":
        return _png(data)
    if kind == "JPEG" and _jpeg_tail_bytes(data) > _PADDING_BYTES:
        return "W_TRAILING_DATA", True
    return None


def has_damaged_png_header(data: bytes) -> bool:
    """Is the first chunk an IHDR with a wrong checksum, or of an impossible kind of pixels (section 11.2.1)?"""
    if data[12:16] != b"IHDR" or len(data) < 33:
        return False
    depth, colour = data[24], data[25]
    is_right = zlib.crc32(data[12:29]) == struct.unpack_from(">I", data, 29)[0]
    return not is_right or depth not in _PNG_DEPTHS.get(colour, ())


def _png(data: bytes) -> tuple[str, bool] | None:
    """PNG specification, third edition, section 5.3: length, type, data, CRC."""
    at = _PNG_SIGNATURE_BYTES
    has_huge_metadata = False
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data):
            break
        if kind == b"IDAT":
            if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
                return "E_CORRUPT", False
        elif size > _MOST_METADATA_BYTES and kind[0] & 0x20:  # lower case: ancillary
            has_huge_metadata = True
        at = end
        if kind == b"IEND":
            break
    if has_huge_metadata:
        return "W_BAD_METADATA", True
    return ("W_TRAILING_DATA", True) if len(data) - at > _PADDING_BYTES else None


def _jpeg_tail_bytes(data: bytes) -> int:
    """How much follows the end of a JPEG (ITU T.81, annex B); 0 if the end is missing."""
    if data.endswith(b"\xff\xd9"):
        return 0
    end = next((at for kind, at in _jpeg_markers(data) if kind == _END), None)
    return 0 if end is None else len(data) - end


def _jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker and where what follows it begins; inside a scan only those that end it."""
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return
        kind = data[at + 1]
        if kind == 0xFF:  # fill byte
            at += 1
            continue
        at += 2
        if kind == 0 or 0xD0 <= kind <= 0xD7:  # a stuffed byte or a restart inside a scan
            continue
        yield kind, at
        if kind == _END:
            return
        if kind != _START_OF_SCAN or at + 2 <= len(data):
            at += int.from_bytes(data[at : at + 2], "big")
