"""Compressed bytes → bytes, never more of them than asked for: a bomb stays packed."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

PACKING: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x5d\0\0", "lzma"),
)
"""The first bytes of packed files, and how they are packed."""

BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, struct.error, MemoryError)
"""What the libraries raise for damaged bytes; pyarrow's errors are ValueErrors and OSErrors."""

_CHUNK = 1 << 20
# What a member leaves of a piece is copied for the next one: of 20 bytes each, a megabyte holds fifty thousand.
_PACKED_PIECE = 64 << 10
# `xz -9` needs 65 MB to unpack; a header may ask for 4 GB.
_LZMA_BYTES = 128 << 20


class _Decompressor(Protocol):
    """What bz2's and lzma's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def packing_of(head: bytes) -> str | None:
    """How a file that begins with `head` is packed, or None."""
    return next((kind for magic, kind in PACKING if head.startswith(magic)), None)


def unpacked(path: Path, kind: str) -> Iterator[bytes]:
    """The unpacked bytes of a file, piece by piece (up to 1 MB each).

    Raises:
        one of `BROKEN`: it is damaged, ends too early, or wants more memory than is decent.
    """
    with path.open("rb") as file:
        if kind in ("zstd", "lz4"):
            with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), kind) as stream:
                yield from iter(lambda: stream.read(_CHUNK), b"")
        elif kind == "gzip":
            yield from _stream(file, _Gzip)
        elif kind == "bzip2":
            yield from _stream(file, bz2.BZ2Decompressor)
        else:
            yield from _stream(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_LZMA_BYTES))


def _stream(file: BinaryIO, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """All members of a file: gzip, bzip2 and xz files may be several, one after the other."""
    data = file.read(_PACKED_PIECE)
    while data:
        one = make()
        while not one.eof:
            if one.needs_input and not data and not (data := file.read(_PACKED_PIECE)):
                raise EOFError("it ends too early")
            piece = one.decompress(data, _CHUNK)
            data = b""
            if piece:
                yield piece
        data = (one.unused_data or file.read(_PACKED_PIECE)).lstrip(b"\0")  # tapes and xz pad with zeros


class _Gzip:
    """zlib's decompressor with the manners of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def unpack_entry(method: int, packed: bytes, at_most: int) -> bytes:
    """The first `at_most` unpacked bytes of a zip's entry.

    Args:
        method: how it is packed: APPNOTE 4.4.5.

    Raises:
        NotImplementedError: we know no such method.
        one of `BROKEN`: it is damaged.
    """
    if method == 0:
        return packed[:at_most]
    if method == 8:
        return zlib.decompressobj(wbits=-15).decompress(packed, at_most)
    if method == 12:
        return _whole(bz2.BZ2Decompressor(), packed, at_most)
    if method == 14:
        return _whole(_zip_lzma(packed), packed[4 + int.from_bytes(packed[2:4], "little") :], at_most)
    if method == 95:
        return _whole(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_BYTES), packed, at_most)
    if method in (20, 93):
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            return stream.read(at_most)
    raise NotImplementedError(f"method {method}")


def _whole(one: _Decompressor, packed: bytes, at_most: int) -> bytes:
    pieces: list[bytes] = []
    left = at_most
    while left and not one.eof:
        piece = one.decompress(packed, left)
        packed = b""
        if not piece and one.needs_input:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _zip_lzma(packed: bytes) -> lzma.LZMADecompressor:
    """APPNOTE 5.8.8: the version (2 bytes), the size of the properties (2), the properties (LZMA SDK, lzma.txt)."""
    _, size, packed_properties, dictionary = struct.unpack_from("<HHBI", packed)
    if size != 5 or packed_properties >= 9 * 5 * 5 or dictionary > _LZMA_BYTES:
        raise ValueError("its LZMA properties are damaged")
    rest, lc = divmod(packed_properties, 9)
    pb, lp = divmod(rest, 5)
    options = {"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": lc, "lp": lp, "pb": pb}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])
