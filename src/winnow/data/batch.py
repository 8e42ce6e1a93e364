"""One batch of what a source found, read: hashed, decoded behind the wall, and sorted into what is to be kept.

Files of this machine are read by the child that decodes them (`winnow.data.decoder.pool`); all else, and what a child
could not read or did not survive, by this process, which can say what is wrong with it.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from winnow.data.blobs import SMALL_BYTES, BlobStore
from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.fact_store import FactStore
from winnow.data.decoder.facts import PictureFacts
from winnow.data.decoder.pool import Outcome, Reading, decoding_pool
from winnow.data.regular_files import why_unread
from winnow.data.sources.source import Found, Refused
from winnow.errors import BadDataError

# So many bytes are handed to a child at a time.
_LOAD_BYTES = 8 << 20

_SUFFIXES = {
    "jpg": ("JPEG", "MPO"),
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "webp": ("WEBP",),
    "bmp": ("BMP",),
    "gif": ("GIF",),
    "tif": ("TIFF",),
    "tiff": ("TIFF",),
    "avif": ("AVIF",),
    "dcm": ("DICOM",),
}
_NOT_YET = Refused("", "", "")
_NOTHING: Sequence[Any] = ()

Row = tuple[Any, ...]
"""What `winnow.data.manifest.SCHEMA` wants of one picture, in its order: an `Example` of each would take longer to make
than all else that is done here."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Where what is read is kept.

    Attributes:
        blobs: the copies.
        facts: what decoding tells; None: it is found out every time.
        in_place: the user's folder, if its files stay there and only their places are kept; None: they are copied.
    """

    blobs: BlobStore
    facts: FactStore | None = None
    in_place: Path | None = None


@dataclass(slots=True)
class New:
    """What is to be written of a batch; copies of large files are written already."""

    copies: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    places: list[tuple[str, Path, int]] = field(default_factory=list[tuple[str, Path, int]])
    facts: dict[str, Outcome] = field(default_factory=dict[str, Outcome])


def read_batch(keep: Keep, items: Sequence[Found | Refused]) -> tuple[list[Row | Refused], New]:
    """A row for each picture or why it is refused, in the order of `items`, and what is to be written.

    Raises:
        WorkspaceError: a large copy cannot be written.
    """
    batch = _Batch(keep, len(items))
    local: list[tuple[int, Found]] = []
    others: list[tuple[int, Found]] = []
    for place, item in enumerate(items):
        if isinstance(item, Refused):
            batch.results[place] = item
        else:
            (others if item.path is None else local).append((place, item))
    left = deque(others + batch.read_by_child(local))
    while left:
        batch.take(batch.read_here(left))
    return batch.results, batch.new


class _File(NamedTuple):
    """A file that was read: by this process if its bytes are here."""

    place: int
    found: Found
    content: str
    n_bytes: int
    data: bytes = b""


class _Batch:
    def __init__(self, keep: Keep, size: int) -> None:
        self.results: list[Row | Refused] = [_NOT_YET] * size
        self.new = New()
        self._keep = keep

    def read_by_child(self, left: list[tuple[int, Found]]) -> list[tuple[int, Found]]:
        """Let children read files; gives those that this process must read."""
        not_read: list[tuple[int, Found]] = []
        while left:
            paths = [os.fspath(found.path or "") for _, found in left]
            with decoding_pool().reading(paths) as reading:
                asked, left = left[: len(reading.files)], left[len(reading.files) :]
                if not asked:
                    return not_read + left
                files = [
                    _File(place, item, held.content, held.n_bytes)
                    for (place, item), held in zip(asked, reading.files, strict=True)
                    if held is not None
                ]
                told = self._told(reading)
            if told is None:
                not_read += asked
            else:
                not_read += [one for one, held in zip(asked, reading.files, strict=True) if held is None]
                self._note(files, *told)
        return not_read

    def read_here(self, left: deque[tuple[int, Found]]) -> list[_File]:
        """Take from `left` what makes one load for a child, and note what cannot be read."""
        files: list[_File] = []
        n_bytes = 0
        while left and n_bytes < _LOAD_BYTES:
            place, found = left.popleft()
            data = _bytes_of(found)
            if isinstance(data, Refused):
                self.results[place] = data
            else:
                files.append(_File(place, found, hashlib.sha256(data).hexdigest(), len(data), data))
                n_bytes += len(data)
        return files

    def take(self, files: Sequence[_File]) -> None:
        """What was read here: let a child decode what is not known yet."""
        data = {file.content: file.data for file in files}
        facts = self._known(list(data))
        unknown = [content for content in data if content not in facts]
        if unknown:
            told = decoding_pool().facts([data[content] for content in unknown])
            self.new.facts |= (new := dict(zip(unknown, told, strict=True)))
            facts |= new
        self._note(files, facts, data)

    def _told(self, reading: Reading) -> tuple[dict[str, Outcome], dict[str, bytes]] | None:
        """The facts of what a child holds, and the bytes that are to be copied, by content."""
        first: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for place, held in enumerate(reading.files):
            if held is not None and held.content not in first:
                first[held.content], sizes[held.content] = place, held.n_bytes
        facts = self._known(list(first))
        unknown = [content for content in first if content not in facts]
        wanted = list[str]()
        if self._keep.in_place is None:
            # What was decoded before was most likely copied before, too.
            uncopied = self._keep.blobs.uncopied({content: sizes[content] for content in facts}) if facts else ()
            wanted = [content for content in first if content not in facts or content in uncopied]
        if not unknown and not wanted:
            return facts, {}
        answer = reading.tell([first[content] for content in unknown], [first[content] for content in wanted])
        if answer is None:
            return None
        told = dict(zip(unknown, answer[0], strict=True))
        self.new.facts |= told
        return facts | told, dict(zip(wanted, answer[1], strict=True))

    def _known(self, contents: Sequence[str]) -> dict[str, Outcome]:
        return dict(self._keep.facts.get(contents)) if self._keep.facts is not None else {}

    def _note(self, files: Sequence[_File], facts: dict[str, Outcome], copies: dict[str, bytes]) -> None:
        """Fill the places of `files`, write large copies, and collect what else is to be written."""
        in_place = self._keep.in_place is not None
        for file in files:
            told = facts[file.content]
            if isinstance(told, UnreadablePictureError):
                self.results[file.place] = Refused(file.found.source, told.code, told.reason)
            elif in_place and file.found.path is None:
                self.results[file.place] = Refused(
                    file.found.source,
                    "E_NOT_IN_PLACE",
                    "It is no file of its own, or its name is no text: import it without keeping it in place.",
                )
            else:
                self.results[file.place] = _row(file, told)
                if in_place and file.found.path is not None:
                    self.new.places.append((file.content, Path(file.found.path), file.n_bytes))
                elif (data := copies.pop(file.content, None)) is not None:
                    self._copy(file.content, data)

    def _copy(self, content: str, data: bytes) -> None:
        if len(data) <= SMALL_BYTES:
            self.new.copies.append((content, data))
        else:
            self._keep.blobs.put_many([(content, data)])


def _bytes_of(found: Found) -> bytes | Refused:
    try:
        return found.read()
    except UnreadablePictureError as error:
        return Refused(found.source, error.code, error.reason)
    except BadDataError as error:
        return Refused(found.source, "E_NOT_IMAGE", str(error))
    except (OSError, ValueError) as error:
        return Refused(found.source, *why_unread(error))


def _row(file: _File, facts: PictureFacts) -> Row:
    found = file.found
    pixels, width, height, kind, is_grey, warnings, taken, seen = facts
    if _is_other_format(found.source[-5:], kind):
        warnings = (*warnings, *found.warnings, "W_EXT_MISMATCH")
    elif found.warnings:
        warnings += found.warnings
    return (
        file.content,
        pixels,
        found.labels,
        found.group,
        found.split or "",
        "user" if found.split else "winnow",
        found.source,
        width,
        height,
        kind,
        file.n_bytes,
        is_grey,
        found.weight,
        found.taken or taken,
        [asdict(box) for box in found.boxes] if found.boxes else _NOTHING,
        [*found.metadata.items()] if found.metadata else _NOTHING,
        warnings or _NOTHING,
        seen,
    )


@lru_cache(maxsize=1000)
def _is_other_format(end: str, kind: str) -> bool:
    """Does the end of a file's name promise another format than it has?"""
    return kind not in _SUFFIXES.get(end.lower().rpartition(".")[2], (kind,))
