"""A zip read as a folder, in place: nothing is ever extracted to the disk.

An archive that tries something (a path that leaves it, a link, a bomb, a password) is refused as a whole: who
made one such entry may have made others. What is merely damaged costs its own line.
"""

from __future__ import annotations

import itertools
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

from winnow.data.decode import UnreadablePictureError
from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.tree import is_litter

# Photographs hardly shrink but blank pictures do, up to 1,000-fold: a ratio is proof only together with size.
_BOMB_RATIO = 200
_BOMB_BYTES = 1 << 30
_BOMB_ENTRY_BYTES = 100 << 20
_MAX_ENTRY_BYTES = 512 << 20
_UTF8_NAME = 0x800  # general purpose bit 11, APPNOTE 4.4.4
_ENCRYPTED = 0x1


class ZipTree:
    """The files of a zip.

    Raises:
        RefusedSourceError: E_EMPTY, E_ARCHIVE_CORRUPT, _TRAVERSAL, _LINK, _ENCRYPTED or _BOMB.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive = _open(path)
        entries = [info for info in self._archive.infolist() if not info.is_dir()]
        if not entries:
            raise RefusedSourceError("E_EMPTY", f"{path} holds no files: zip the folder again.")
        for info in self._archive.infolist():
            _refuse_hostile(path, info)
        _refuse_bombs(path, entries)
        self._entries = {name: info for info in entries if not _is_litter(name := _name(info))}

    @property
    def name(self) -> str:
        """The archive as the user wrote it."""
        return str(self._path)

    @property
    def paths(self) -> Sequence[str]:
        """All entries, sorted."""
        return self._paths

    @cached_property
    def _paths(self) -> Sequence[str]:
        return sorted(self._entries)

    def reader(self, path: str) -> Callable[[], bytes]:
        """Unpacks the entry."""
        return partial(_read, self._archive, self._entries[path])

    def file(self, path: str) -> Path | None:
        """None: it lies in the archive."""
        return None


def _is_litter(path: str) -> bool:
    return any(is_litter(part) for part in path.split("/"))


def _open(path: Path) -> zipfile.ZipFile:
    if path.stat().st_size == 0:
        raise RefusedSourceError("E_EMPTY", f"{path} is empty (0 bytes): copy or download it again.")
    try:
        return zipfile.ZipFile(path)
    # zipfile answers a damaged directory with many exceptions besides its own.
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError) as error:
        raise RefusedSourceError(
            "E_ARCHIVE_CORRUPT", f"{path} is no zip, or a damaged one ({error}): download or zip it again."
        ) from error


def _refuse_hostile(path: Path, info: zipfile.ZipInfo) -> None:
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/") or "\0" in name:
        raise RefusedSourceError(
            "E_ARCHIVE_TRAVERSAL",
            f"{path} holds an entry that points outside of it ({name[:80]!r}): do not trust it; zip the folder anew.",
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise RefusedSourceError(
            "E_ARCHIVE_LINK",
            f"{path} holds a link ({name[:80]!r}): zip the files that links point to instead.",
        )
    if info.flag_bits & _ENCRYPTED:
        raise RefusedSourceError(
            "E_ARCHIVE_ENCRYPTED",
            f"{path} is protected by a password: unpack it yourself and import the folder.",
        )


def _refuse_bombs(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    def is_bomb(packed: int, unpacked: int, limit: int) -> bool:
        return unpacked > limit and unpacked > _BOMB_RATIO * max(packed, 1)

    total = is_bomb(sum(e.compress_size for e in entries), sum(e.file_size for e in entries), _BOMB_BYTES)
    single = any(is_bomb(e.compress_size, e.file_size, _BOMB_ENTRY_BYTES) for e in entries)
    # Entries that share their bytes unpack to far more than the file holds (Fifield, A better zip bomb, 2019).
    spans = sorted((e.header_offset, e.header_offset + e.compress_size) for e in entries)
    overlap = any(end > start for (_, end), (start, _) in itertools.pairwise(spans))
    if total or single or overlap:
        raise RefusedSourceError(
            "E_ARCHIVE_BOMB",
            f"{path} would unpack to far more than it should: do not trust it; zip the folder anew.",
        )


def _name(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        # Many programs write UTF-8 without saying so; zipfile then reads code page 437.
        try:
            name = name.encode("cp437").decode("utf-8")
        except ValueError:
            name = info.filename
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > _MAX_ENTRY_BYTES:
        raise UnreadablePictureError(
            "E_BOMB_PIXELS", f"It unpacks to {info.file_size >> 20} MB: no picture needs more than 512 MB."
        )
    try:
        return archive.read(info)
    except NotImplementedError as error:
        raise UnreadablePictureError(
            "E_ARCHIVE_UNSUPPORTED", f"It is packed in a way Winnow does not know ({error}): zip it anew."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise UnreadablePictureError(
            "E_ARCHIVE_CORRUPT", f"The archive is damaged here ({error}): zip it anew."
        ) from error
