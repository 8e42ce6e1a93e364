"""A zip as a tree: its central directory listed, its entries unpacked one by one.

Not by the standard library's zipfile: it keeps 1 kB in memory for every entry, gives up on a whole archive for one
name, lets threads wait for each other, and does not say how much it may unpack. It is the oracle of our tests.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import stat
import struct
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np

from winnow.data.sources.archive import (
    ArchiveTree,
    Entry,
    FileAt,
    Read,
    bomb,
    broken_entry,
    damaged,
    trailing_data,
    unpacking,
)
from winnow.data.sources.refused import RefusedSourceError
from winnow.data.sources.unpack import unpack_entry
from winnow.events import Note

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR64 = struct.Struct("<4sLQL")  # 4.3.15
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_LONGEST_COMMENT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_COUNTED = 0x10000  # where many entries are counted in 16 bits all the same, the rest is missing
_SPLIT_MARK = 4  # bytes: 8.5.4
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # general purpose bits 0, 6 and 13: 4.4.4
_UTF8_NAME = 0x800
_ZIP64, _UNICODE_NAME = 0x0001, 0x7075  # extra fields: 4.5.3, 4.6.9
_BUFFER = 1 << 20


class _Directory(NamedTuple):
    """Where the central directory lies and how many entries it should have; `shift` is what stands before the archive,
    `after` what stands behind it."""

    offset: int
    n_bytes: int
    n_entries: int
    shift: int
    after: int


def zip_tree(path: Path) -> ArchiveTree:
    """The files of a zip.

    Raises:
        RefusedSourceError: E_EMPTY, E_ARCHIVE_CORRUPT, _UNSUPPORTED, _TRAVERSAL, _LINK, _SPECIAL, _ENCRYPTED, _BOMB or
            _ENTRIES.
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=_BUFFER) as file:
        return ArchiveTree(path, _entries(path, file), _reading(FileAt(file)))


def _entries(path: Path, file: BinaryIO) -> Iterator[Entry | Note]:
    directory = _directory(path, file)
    if directory.after:
        yield trailing_data(path, directory.after, "behind")
    starts, ends = array("q"), array("q")
    for flags, entry in _listed(path, file, directory):
        if flags & _ENCRYPTED:
            raise RefusedSourceError(
                "E_ARCHIVE_ENCRYPTED", f"{path} is protected by a password: unpack it yourself and import the folder."
            )
        starts.append(entry.offset)
        ends.append(entry.offset + _LOCAL.size + entry.packed)
        yield entry
    # Self-extracting archives count from their own beginning, or from the file's.
    if (n_before := min(starts, default=0)) > _SPLIT_MARK:
        yield trailing_data(path, n_before, "before")
    if (len(starts) - directory.n_entries) % _COUNTED:
        raise damaged(path, f"it should hold {directory.n_entries} entries, and lists {len(starts)}")
    # Entries that share their bytes unpack to far more than the file holds (Fifield, A better zip bomb, 2019).
    order = np.argsort(starts, kind="stable")
    if (np.asarray(ends)[order][:-1] > np.asarray(starts)[order][1:]).any():
        raise bomb(path)


def _directory(path: Path, file: BinaryIO) -> _Directory:
    n_bytes = file.seek(0, 2)
    if n_bytes == 0:
        raise RefusedSourceError("E_EMPTY", f"{path} is empty (0 bytes): copy or download it again.")
    tail_at = max(0, n_bytes - _LONGEST_COMMENT - _END.size - _END64.size - _LOCATOR64.size)
    file.seek(tail_at)
    tail = file.read()
    at = len(tail)
    # The signature may stand in a comment, too: the last one that fits is the end.
    while (at := tail.rfind(b"PK\5\6", 0, at)) >= 0:
        found = _end(path, tail, at, tail_at, n_bytes)
        if found is not None:
            return found
    raise damaged(path, "a zip ends with the list of its entries, and there is none")


def _end(path: Path, tail: bytes, at: int, tail_at: int, n_bytes: int) -> _Directory | None:
    if at + _END.size > len(tail):
        return None
    _, disk, _, _, n_entries, size, offset, n_comment = _END.unpack_from(tail, at)
    after = n_bytes - (tail_at + at + _END.size + n_comment)
    ends = tail_at + at
    if (locator := at - _LOCATOR64.size) >= 0 and tail.startswith(b"PK\6\7", locator):
        at64 = tail.rfind(b"PK\6\6", 0, locator)
        if at64 < 0 or at64 + _END64.size > locator:
            return None
        *_, disk, _, _, n_entries, size, offset = _END64.unpack_from(tail, at64)
        ends = tail_at + at64
    shift = ends - size - offset
    if after < 0 or shift < 0 or (shift and not size):  # no list behind something is a comment's
        return None
    if disk not in (0, 0xFFFF):
        raise RefusedSourceError(
            "E_ARCHIVE_UNSUPPORTED",
            f"{path} is one part of several: join them first (zip -s 0 split.zip --out whole.zip).",
        )
    return _Directory(ends - size, size, n_entries, shift, after)


def _listed(path: Path, file: BinaryIO, directory: _Directory) -> Iterator[tuple[int, Entry]]:
    """Every entry of the central directory with its flags."""
    file.seek(directory.offset)
    left = directory.n_bytes
    while left >= _CENTRAL.size:
        head = file.read(_CENTRAL.size)
        if len(head) < _CENTRAL.size or head[:4] != b"PK\1\2":
            raise damaged(path, "its list of entries is broken")
        fields = _CENTRAL.unpack(head)
        _, _, _, flags, method, _, _, crc, packed, size, n_name, n_extra, n_comment, _, _, attributes, offset = fields
        raw, extra, _ = file.read(n_name), file.read(n_extra), file.read(n_comment)
        left -= _CENTRAL.size + n_name + n_extra + n_comment
        extras = dict(_extra_fields(extra)) if extra else {}
        if _IN_ZIP64 in (size, packed, offset):
            size, packed, offset = _zip64(path, extras.get(_ZIP64, b""), size, packed, offset)
        name = _name(raw, flags, extras.get(_UNICODE_NAME, b""))
        kind = _kind(name, attributes >> 16)
        yield flags, Entry(name, kind, offset + directory.shift, packed, size, method, crc, zlib.crc32(raw))
    if left:
        raise damaged(path, "its list of entries is cut off")


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0  # not cut off piece by piece: 64 kB may hold 16,000 empty ones
    while at + 4 <= len(extra):
        kind, n_bytes = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + n_bytes]
        at += 4 + n_bytes


def _zip64(path: Path, field: bytes, *values: int) -> list[int]:
    """Sizes and offset, those that do not fit into 32 bits taken from the extra field, in their order."""
    wide: list[int] = []
    for value in values:
        if value == _IN_ZIP64:
            if len(field) < 8:
                raise damaged(path, "a size in its list of entries is missing")
            (value,) = struct.unpack_from("<Q", field)
            field = field[8:]
        # Beyond the end of any file all the same, and sums stay below 64 bits.
        wide.append(min(value, 1 << 60))
    return wide


def _name(raw: bytes, flags: int, unicode_field: bytes) -> str:
    if len(unicode_field) > 5 and struct.unpack_from("<L", unicode_field, 1)[0] == zlib.crc32(raw):
        raw, flags = unicode_field[5:], _UTF8_NAME
    if flags & _UTF8_NAME:
        return raw.decode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")  # many programs write UTF-8 without saying so
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _kind(name: str, mode: int) -> Literal["file", "folder", "link", "special"]:
    if name.endswith(("/", "\\")):
        return "folder"
    kind = stat.S_IFMT(mode)
    if kind in (0, stat.S_IFREG, stat.S_IFDIR):
        return "file"
    return "link" if kind == stat.S_IFLNK else "special"


def _reading(file: FileAt) -> Read:
    def read(entry: Entry, at_most: int) -> bytes:
        start = _data_offset(file, entry)
        # A head needs a head only; the packed bytes of 4 kB are never more than this, not even for noise.
        n_packed = entry.packed if at_most >= entry.size else min(entry.packed, 64 << 10)
        packed = file.read(start, n_packed)
        data = unpacking(lambda: unpack_entry(entry.method, packed, at_most + (at_most == entry.size)))
        if at_most < entry.size:
            return data
        if len(packed) != entry.packed or len(data) != entry.size or zlib.crc32(data) != entry.crc:
            raise broken_entry("size or checksum are wrong")
        return data

    return read


def _data_offset(file: FileAt, entry: Entry) -> int:
    """Behind the entry's own header, which must say what the directory says: else two programs see two archives."""
    head = file.read(entry.offset, _LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
        raise broken_entry("an entry is not where the list says")
    _, _, flags, method, _, _, _, _, _, n_name, n_extra = _LOCAL.unpack(head)
    name = file.read(entry.offset + _LOCAL.size, n_name)
    if zlib.crc32(name) != entry.name_crc or method != entry.method or flags & _ENCRYPTED:
        raise broken_entry("an entry and the list of entries disagree")
    return entry.offset + _LOCAL.size + n_name + n_extra
