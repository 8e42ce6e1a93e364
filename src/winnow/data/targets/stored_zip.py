"""One zip of files as they are: the same bytes every time, of any size, with little memory for a million entries.

Pictures are packed already, so nothing is compressed. The standard library's writer keeps a kilobyte for each entry.

Format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (its end).
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO, cast

_UTF8 = 1 << 11
_TIME, _DATE = 0, (1 << 5) | 1  # 1980-01-01 00:00: the same files make the same zip
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_IN_MEMORY = 8 << 20


class StoredZip:
    """Writes a zip into an open file (an `Out`); `close` makes it whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._n = 0
        # A hundred bytes an entry; beyond some megabytes they lie on the disk.
        self._directory = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (it lives as long as we do)

    def write(self, path: str, data: bytes) -> None:
        """An entry of less than 4 GiB; raises OSError."""
        self._add_header(path, len(data), zlib.crc32(data))
        self._file.write(data)

    @contextmanager
    def open(self, path: str) -> Generator[BinaryIO]:
        """An entry that is written bit by bit, and added when the block ends."""
        with tempfile.TemporaryFile() as file:
            yield cast(BinaryIO, file)
            n_bytes, crc = file.tell(), 0
            file.seek(0)
            while chunk := file.read(1 << 20):
                crc = zlib.crc32(chunk, crc)
            self._add_header(path, n_bytes, crc)
            file.seek(0)
            shutil.copyfileobj(file, self._file)

    def close(self) -> None:
        """Write the directory of all entries."""
        start, n_bytes = self._file.tell(), self._directory.tell()
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._file)
        self._directory.close()
        if self._n >= _MAX_16 or max(start, n_bytes) >= _MAX_32:
            end = self._file.tell()
            counts = (self._n, self._n, n_bytes, start)
            self._file.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, _VERSION_64, _VERSION_64, 0, 0, *counts))
            self._file.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        n, at = min(self._n, _MAX_16), min(start, _MAX_32)
        self._file.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, n, n, min(n_bytes, _MAX_32), at, 0))

    def _add_header(self, path: str, n_bytes: int, crc: int) -> None:
        name, at = path.encode(), self._file.tell()
        is_large = n_bytes >= _MAX_32
        size = _MAX_32 if is_large else n_bytes
        about = (_UTF8, 0, _TIME, _DATE, crc, size, size, len(name))
        sizes = struct.pack("<QQ", n_bytes, n_bytes) if is_large else b""
        extra = _extra(sizes)
        version = _VERSION_64 if is_large else _VERSION
        self._file.write(struct.pack("<IHHHHHIIIHH", 0x04034B50, version, *about, len(extra)) + name + extra)
        extra = _extra(sizes + (struct.pack("<Q", at) if at >= _MAX_32 else b""))
        version = _VERSION_64 if extra else _VERSION
        entry = struct.pack("<IHHHHHHIIIHH", 0x02014B50, _UNIX | version, version, *about, len(extra))
        self._directory.write(entry + struct.pack("<HHHII", 0, 0, 0, _MODE, min(at, _MAX_32)) + name + extra)
        self._n += 1


def _extra(values: bytes) -> bytes:
    """Zip64's extra field, for what does not fit into 32 bits."""
    return struct.pack("<HH", 1, len(values)) + values if values else b""
