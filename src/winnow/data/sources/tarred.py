"""A tar as a tree, packed or not.

A plain tar is listed once and then read in place, at any offset. A packed one can only be read from its start:
it is unpacked once, into a nameless temporary file that is gone when the tree is (or when the process dies), and
then read like a plain one. Reading it again and again from the start instead would cost hours for large archives.

The standard library's tarfile parses single headers here; the loop over them is ours, because tarfile's (in the Pythons
we support: CVE-2024-6232, CVE-2025-8194) can be made to run for ever, reads names of any length into memory, and keeps
every member.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from winnow.data.sources.archive import (
    BOMB_ENTRY_BYTES,
    ArchiveTree,
    Entry,
    FileAt,
    Read,
    bomb,
    broken_entry,
    damaged,
    is_bomb,
    trailing_data,
)
from winnow.data.sources.refused import Refused, RefusedSourceError
from winnow.data.sources.unpack import BROKEN, unpacked
from winnow.errors import BadDataError
from winnow.events import Note

BLOCK = 512
# A pax header or a long name is a few hundred bytes.
_MAX_HEADER_BYTES = 1 << 20
_MOST_HEADERS = 100  # for one file; three are usual
_MOST_DIGITS = 20  # of a size in bytes: more than any disk has
_ROOM_LEFT_BYTES = 256 << 20
_KINDS: dict[bytes, Literal["file", "folder", "link", "special"]] = {
    **dict.fromkeys((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE), "file"),
    **dict.fromkeys((tarfile.DIRTYPE, b"D"), "folder"),
    **dict.fromkeys((tarfile.LNKTYPE, tarfile.SYMTYPE), "link"),
}
_LONG_NAME, _LONG_LINK, _LABEL = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"V"
_HEARD, _SPARSE = (b"path", b"size"), b"GNU.sparse"  # what pax headers say that matters here
_PAX, _PAX_GLOBAL = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.XGLTYPE


def tar_tree(path: Path, packing: str | None = None) -> ArchiveTree:
    """The files of a tar.

    Args:
        packing: how it is packed (`winnow.data.sources.unpack.PACKING`), or None.

    Raises:
        RefusedSourceError: E_EMPTY, E_ARCHIVE_CORRUPT, _TRAVERSAL, _LINK, _SPECIAL, _BOMB or _ENTRIES.
        BadDataError: there is no room to unpack it.
        OSError: it cannot be read.
    """
    if path.stat().st_size == 0:
        raise RefusedSourceError("E_EMPTY", f"{path} is empty (0 bytes): copy or download it again.")
    if packing is None:
        with path.open("rb") as file:
            return _tree(path, file)
    with tempfile.TemporaryFile(dir=spool_folder()) as spool:
        _spool(path, packing, spool)
        return _tree(path, spool)


def is_tar(head: bytes) -> bool:
    """Does a file that begins so hold a tar's first header (with its checksum)?"""
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _tree(path: Path, file: BinaryIO) -> ArchiveTree:
    at = FileAt(file)
    file.seek(0)
    return ArchiveTree(path, _entries(path, file, at.n_bytes), _reading(at))


def spool_folder() -> str:
    """Where large temporary files go."""
    # /tmp is often memory; /var/tmp is a disk (Filesystem Hierarchy Standard 5.15), unless the user says otherwise.
    has_choice = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return tempfile.gettempdir() if has_choice or not os.access("/var/tmp", os.W_OK) else "/var/tmp"


def _spool(path: Path, packing: str, spool: BinaryIO) -> None:
    folder = spool_folder()
    n_packed, n_bytes = path.stat().st_size, 0
    room = shutil.disk_usage(folder).free - _ROOM_LEFT_BYTES
    try:
        for piece in unpacked(path, packing):
            n_bytes += len(piece)
            if is_bomb(n_packed, n_bytes, BOMB_ENTRY_BYTES):
                raise bomb(path)
            if n_bytes > room:
                raise BadDataError(
                    f"{path} does not fit unpacked into {folder} ({room >> 20} MB free): unpack it yourself and import "
                    "the folder, or set TMPDIR to a larger disk."
                )
            spool.write(piece)
        spool.flush()
    except BROKEN as error:
        raise damaged(path, error or "its end is missing") from error


def _entries(path: Path, file: BinaryIO, n_bytes: int) -> Iterator[Entry | Refused | Note]:
    """Every member with the headers that speak of it joined."""
    everywhere: dict[str, str] = {}
    here: dict[str, str] = {}
    n_headers = 0
    while len(block := file.read(BLOCK)) == BLOCK and any(block):
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, ValueError) as error:
            raise damaged(path, f"no header at byte {file.tell() - BLOCK}") from error
        said = {**everywhere, **here}
        size = _size(said, info)
        offset, end = file.tell(), file.tell() + -(-size // BLOCK) * BLOCK
        if size < 0 or offset + size > n_bytes:
            raise damaged(path, f"it should go on until byte {offset + size}, and has {n_bytes}")
        n_headers += 1
        if info.type in (_LONG_NAME, _LONG_LINK, _PAX_GLOBAL, *_PAX):
            if n_headers > _MOST_HEADERS:
                raise damaged(path, f"{n_headers} headers that belong to no file")
            extra = _extra(path, info.type, _header_body(path, file, size))
            (everywhere if info.type == _PAX_GLOBAL else here).update(extra)
        elif info.type != _LABEL:
            yield _entry(info, said, offset, size)
            here, n_headers = {}, 0
        file.seek(end)
    if block and len(block) < BLOCK:
        raise damaged(path, "its last header is cut off")
    if not block:
        reason = (
            "The mark that ends a tar is missing, so it may be cut off: compare it with the one it was copied from."
        )
        yield Refused(str(path), "E_ARCHIVE_CORRUPT", reason)
    if (n_left := _after_the_end(file)) > 0:
        yield trailing_data(path, n_left, "behind")


def _size(said: Mapping[str, str], info: tarfile.TarInfo) -> int:
    """Of what follows the header; a folder's size is a hint, not bytes."""
    if info.type == tarfile.DIRTYPE:
        return 0
    stated = said.get("size")
    if stated is None or info.type not in _KINDS:
        return info.size
    # Of thousands of digits, Python reads some and writes none of what they add up to.
    return int(stated) if stated.isdecimal() and len(stated) <= _MOST_DIGITS else -1


def _header_body(path: Path, file: BinaryIO, n_bytes: int) -> bytes:
    if n_bytes > _MAX_HEADER_BYTES:
        raise damaged(path, f"a header of {n_bytes} bytes")
    return file.read(n_bytes)


def _extra(path: Path, kind: bytes, body: bytes) -> dict[str, str]:
    if kind in (_LONG_NAME, _LONG_LINK):
        name = body.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        return {"path": name} if kind == _LONG_NAME else {}
    said: dict[str, str] = {}
    body = body.rstrip(b"\0")
    at = 0
    while at < len(body):
        digits, _, _ = body[at : at + 20].partition(b" ")  # "length key=value\n", the length counting itself
        end = at + int(digits) if digits.isdigit() else 0
        key, has_value, value = body[at + len(digits) + 1 : max(end - 1, 0)].partition(b"=")
        if not has_value or end > len(body):
            raise damaged(path, "a pax header is broken")
        if key in _HEARD or key.startswith(_SPARSE):  # a header may hold a hundred thousand others
            said[(_SPARSE if key.startswith(_SPARSE) else key).decode()] = value.decode("utf-8", "surrogateescape")
        at = end
    return said


def _entry(info: tarfile.TarInfo, said: Mapping[str, str], offset: int, size: int) -> Entry:
    name = said.get("path", info.name)
    # Anything else (devices, pipes, sparse files, parts of volumes) has no plain bytes.
    kind = "special" if _SPARSE.decode() in said else _KINDS.get(info.type, "special")
    if kind == "file" and name.endswith("/"):  # before POSIX, folders had no type of their own
        kind = "folder"
    elif kind == "folder":
        size = 0  # what follows lists the folder: no file
    return Entry(name, kind, offset, size, size)


def _after_the_end(file: BinaryIO) -> int:
    """How many bytes stand behind the tar's end other than zeros, counted from the first to the last."""
    first = last = -1
    while piece := file.read(1 << 20):
        stripped = piece.strip(b"\0")
        if stripped:
            start = file.tell() - len(piece)
            first = start + len(piece) - len(piece.lstrip(b"\0")) if first < 0 else first
            last = start + len(piece.rstrip(b"\0"))
    return last - first if first >= 0 else 0


def _reading(file: FileAt) -> Read:
    def read(entry: Entry, at_most: int) -> bytes:
        n_bytes = min(at_most, entry.size)
        data = file.read(entry.offset, n_bytes)
        if len(data) != n_bytes:
            raise broken_entry("it ends too early")
        return data

    return read
