"""An archive read as a folder, in place: its entries as a tree, and what makes us refuse it.

An archive that tries something (a path that leaves it, a link, a device, a bomb, a password) is refused as a
whole: who made one such entry may have made others. What is merely odd or damaged costs its own line. Names
and places of entries are kept as a list of names and one array: a million of them take about 150 MB, 250 at the peak.
"""

from __future__ import annotations

import os
import posixpath
import re
import threading
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from winnow.data.decode import UnreadablePictureError
from winnow.data.regular_files import HEAD_BYTES, LARGE_FILE_BYTES, refuse_large, refuse_no_picture
from winnow.data.sources.refused import Refused, RefusedSourceError
from winnow.data.sources.tree import MAX_DEPTH, is_litter
from winnow.data.sources.unpack import BROKEN
from winnow.events import Note

# Photographs hardly shrink but blank pictures do, up to 1,000-fold: a ratio is proof only together with size.
BOMB_RATIO = 200
BOMB_BYTES = 1 << 30
BOMB_ENTRY_BYTES = 100 << 20
MAX_ENTRIES = 2_000_000
# Many entries with next to nothing in them are no pictures (the smallest GIF has 35 bytes) but work for whoever lists.
_MANY_ENTRIES = 10_000
_LEAST_BYTES = 32
_LONGEST_PATH = 4096  # Linux's PATH_MAX
# A: and B: were floppy drives: nobody attacks through them, and "b: from above" is a name people give.
_DRIVE = re.compile(r"[C-Zc-z]:")
_SHOWN_COLLISIONS = 3


class Entry(NamedTuple):
    """One entry as the archive describes it.

    Attributes:
        name: with slashes or backslashes, unchecked.
        offset: of its header (zip) or its data (tar), in bytes.
        packed: its size in the archive, in bytes.
        size: its size unpacked, in bytes.
        method: how it is packed (zip).
        crc: its CRC-32 (zip).
        name_crc: the CRC-32 of its name's bytes (zip).
    """

    name: str
    kind: Literal["file", "folder", "link", "special"]
    offset: int
    packed: int
    size: int
    method: int = 0
    crc: int = 0
    name_crc: int = 0


_NUMBERS = len(Entry._fields) - 2
Read = Callable[[Entry, int], bytes]
"""Gives the first so many bytes of an entry; raises UnreadablePictureError or OSError; called from any thread."""


class ArchiveTree:
    """The entries of an archive as files.

    Args:
        entries: as the archive lists them; what is said of the archive itself comes among them.
        read: unpacks one.

    Raises:
        RefusedSourceError: E_EMPTY, E_ARCHIVE_TRAVERSAL, _LINK, _SPECIAL, _BOMB or _ENTRIES; and what `entries` raises.
    """

    def __init__(self, path: Path, entries: Iterable[Entry | Refused | Note], read: Read) -> None:
        self._path = path
        self._read = read
        self._remarks: list[Refused | Note] = []
        self._names: list[str] = []
        numbers = array("q")
        totals = _Totals(path)
        for entry in entries:
            if not isinstance(entry, Entry):
                self._remarks.append(entry)
                continue
            _refuse_hostile(path, entry)
            totals.add(entry)
            if entry.kind == "folder" and entry.size:
                self._refuse_filled(entry)
            elif entry.kind == "file" and self._add(entry.name):
                numbers.extend(entry[2:])
        totals.finish()
        if not self._names and not any(isinstance(remark, Refused) for remark in self._remarks):
            raise RefusedSourceError("E_EMPTY", f"{path} holds no files: pack the folder again.")
        self._numbers = self._sort(np.frombuffer(numbers, np.int64).reshape(-1, _NUMBERS))

    @property
    def name(self) -> str:
        """The archive as the user wrote it."""
        return str(self._path)

    @property
    def paths(self) -> Sequence[str]:
        """All entries that are files, sorted."""
        return self._names

    @property
    def remarks(self) -> Sequence[Refused | Note]:
        """One line for each entry with an impossible name, and what is odd about the archive."""
        return self._remarks

    def reader(self, path: str) -> Callable[[], bytes]:
        """Unpacks the entry."""
        return partial(self._unpack, path, False)

    def picture(self, path: str) -> Callable[[], bytes]:
        """Unpacks the entry, a large one only if it begins like a picture."""
        return partial(self._unpack, path, True)

    def file(self, path: str) -> Path | None:
        """None: it lies in the archive."""
        return None

    def _unpack(self, path: str, is_picture: bool) -> bytes:
        row = bisect_left(self._names, path)
        if row == len(self._names) or self._names[row] != path:
            raise FileNotFoundError(path)
        entry = Entry(path, "file", *self._numbers[row].tolist())
        refuse_large(max(entry.size, entry.packed))
        if is_picture and entry.size > LARGE_FILE_BYTES:
            refuse_no_picture(self._read(entry, HEAD_BYTES), entry.size)
        return self._read(entry, entry.size)

    def _refuse_filled(self, folder: Entry) -> None:
        reason = f"It is called a folder and holds {folder.size} bytes, which may be a file: pack it anew."
        self._remarks.append(Refused(_shown(folder.name), "E_ARCHIVE_CORRUPT", reason))

    def _add(self, written: str) -> bool:
        """Keep a name as a path, unless it is litter or nobody could use it."""
        parts = [part for part in written.replace("\\", "/").split("/") if part not in ("", ".")]
        if any(map(is_litter, parts)):
            return False
        name = "/".join(parts)
        if not parts or len(parts) > MAX_DEPTH or len(name) > _LONGEST_PATH:
            has = (
                f"has {len(name)} characters and {len(parts)} folders: shorten it" if parts else "is empty: give it one"
            )
            self._remarks.append(Refused(_shown(name), "E_NAME", f"Its name {has} and pack it again."))
            return False
        self._names.append(name)
        return True

    def _sort(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Puts the names in order, and their numbers (N, 6) in the same."""
        rows = rows[sorted(range(len(self._names)), key=self._names.__getitem__)]
        self._names.sort()
        return self._sort(rows) if self._number_the_same() else rows

    def _number_the_same(self) -> bool:
        """A second entry of the same name gets a number: nothing is overwritten silently. Was there one?"""
        same = [row for row, (one, other) in enumerate(pairwise(self._names), 1) if one == other]
        if not same:
            return False
        names = set(self._names)
        twice = list(dict.fromkeys(self._names[row] for row in same))
        for row in same:
            stem, suffix = posixpath.splitext(self._names[row])
            number = 2
            while (other := f"{stem} ({number}){suffix}") in names:
                number += 1
            names.add(other)
            self._names[row] = other
        shown = ", ".join(twice[:_SHOWN_COLLISIONS]) + (", ..." if len(twice) > _SHOWN_COLLISIONS else "")
        self._remarks.append(
            Note(
                f"{self._path} holds several files of the same name ({len(twice)}: {shown}): all were kept, "
                "the later ones with a number; check which you meant.",
                is_warning=True,
                code="W_NAME_COLLISION",
            )
        )
        return True


class _Totals:
    """Counts entries and bytes while they are listed, and stops where they are too many."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = self._packed = self._size = 0
        self._is_bomb = False

    def add(self, entry: Entry) -> None:
        self._entries += 1
        self._packed += entry.packed
        self._size += entry.size
        self._is_bomb |= is_bomb(entry.packed, entry.size, BOMB_ENTRY_BYTES)
        is_empty = self._entries > _MANY_ENTRIES and self._size < _LEAST_BYTES * self._entries
        if self._entries > MAX_ENTRIES or (is_empty and self._entries % _MANY_ENTRIES == 0):
            raise self._too_many()

    def finish(self) -> None:
        if self._is_bomb or is_bomb(self._packed, self._size, BOMB_BYTES):
            raise bomb(self._path)
        if self._entries > _MANY_ENTRIES and self._size < _LEAST_BYTES * self._entries:
            raise self._too_many()

    def _too_many(self) -> RefusedSourceError:
        return RefusedSourceError(
            "E_ARCHIVE_ENTRIES",
            f"{self._path} lists {self._entries} entries or more with {self._size >> 10} kB in them; expected at most "
            f"{MAX_ENTRIES}, with pictures in them: unpack it yourself and import a folder of it.",
        )


def is_bomb(packed: int, unpacked: int, limit: int) -> bool:
    """Does it unpack to more than `limit` bytes and more than any picture would?"""
    return unpacked > limit and unpacked > BOMB_RATIO * max(packed, 1)


def bomb(path: Path) -> RefusedSourceError:
    """The words for it."""
    return RefusedSourceError(
        "E_ARCHIVE_BOMB", f"{path} would unpack to far more than it should: do not trust it; pack the folder anew."
    )


def damaged(path: Path, why: object) -> RefusedSourceError:
    """The words for an archive that cannot be listed to its end."""
    return RefusedSourceError(
        "E_ARCHIVE_CORRUPT", f"{path} is damaged or cut off ({why}): download it again, or pack the folder anew."
    )


def broken_entry(why: object) -> UnreadablePictureError:
    """The words for one entry that cannot be unpacked."""
    return UnreadablePictureError("E_ARCHIVE_CORRUPT", f"The archive is damaged here ({why}): pack it anew.")


def trailing_data(path: Path, n_bytes: int, where: str) -> Note:
    """The words for bytes that do not belong to the archive."""
    return Note(
        f"{path} has {n_bytes} bytes {where} it that do not belong to it: the archive was read, the bytes were not.",
        is_warning=True,
        code="W_TRAILING_DATA",
    )


def _shown(name: str) -> str:
    return (name if len(name) <= 80 else f"{name[:79]}…") or "(no name)"


def _refuse_hostile(path: Path, entry: Entry) -> None:
    name = entry.name.replace("\\", "/")
    shown = repr(name[:80])
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/") or "\0" in name:
        raise RefusedSourceError(
            "E_ARCHIVE_TRAVERSAL",
            f"{path} holds an entry that points outside of it ({shown}): do not trust it; pack the folder anew.",
        )
    if entry.kind == "link":
        raise RefusedSourceError(
            "E_ARCHIVE_LINK", f"{path} holds a link ({shown}): pack the files that links point to instead."
        )
    if entry.kind == "special":
        raise RefusedSourceError(
            "E_ARCHIVE_SPECIAL",
            f"{path} holds something that is no plain file ({shown}; a device, a pipe?): pack plain files only.",
        )


class FileAt:
    """An open file that is read at any place from any thread, and closed when nobody needs it any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = os.dup(file.fileno())
        self.n_bytes = os.fstat(self._descriptor).st_size
        self._lock = threading.Lock()
        weakref.finalize(self, os.close, self._descriptor)

    def read(self, offset: int, n_bytes: int) -> bytes:
        """Up to `n_bytes` from `offset` on; fewer at the file's end."""
        n_bytes = max(min(n_bytes, self.n_bytes - offset), 0)  # room is made for all that is asked for
        if not hasattr(os, "pread"):  # Windows
            with self._lock:
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                return os.read(self._descriptor, n_bytes)
        return os.pread(self._descriptor, n_bytes, offset)


def unpacking(read: Callable[[], bytes]) -> bytes:
    """What `read` gives; damage becomes the entry's own line."""
    try:
        return read()
    except UnreadablePictureError:
        raise
    except NotImplementedError as error:
        raise UnreadablePictureError(
            "E_ARCHIVE_UNSUPPORTED", f"It is packed in a way Winnow does not know ({error}): pack it anew."
        ) from error
    except BROKEN as error:
        raise broken_entry(error) from error
