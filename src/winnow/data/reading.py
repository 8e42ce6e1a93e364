"""From what a source found to rows of examples: read, hashed, decoded behind the wall, and kept; in order, in batches.

Whatever happens to one file costs one line. Memory does not grow with the number of files, but for the rows themselves.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import pyarrow as pa

from winnow.data.blobs import SMALL_BYTES, BlobStore
from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.fact_store import FactStore
from winnow.data.decoder.facts import PictureFacts
from winnow.data.decoder.pool import decoding_pool
from winnow.data.manifest import SCHEMA, Example, table_of
from winnow.data.sources.source import Found, Refused
from winnow.errors import BadDataError
from winnow.events import Note, Progress, Tell
from winnow.machine import cores

# Files are handed to a decoding process so many, or so many bytes, at a time: enough that the handing over costs
# little beside decoding (MNIST digits take 0.1 ms), little enough for a live bar and for memory.
_BATCH = 64
_BATCH_BYTES = 8 << 20
_AHEAD = 4
"""Batches that are being read for each thread: results come in order, and a slow one must not stop the others."""
_ROWS = 4096
_WRITE_AT_ONCE = 8192
"""Small files that go to the disk in one transaction: each touches its own page of an index, whatever it holds."""
_WRITE_BYTES = 32 << 20
"""But no more than this of their bytes wait for it."""

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
_Batch = list[Found | Refused]
_NOT_YET = Refused("", "", "")


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


@dataclass(frozen=True, slots=True)
class ReadRows:
    """What was read of a source.

    Attributes:
        table: the rows in the order they were found (`winnow.data.manifest.SCHEMA`); `split` is "" where nothing was
            said.
        refused: what could not be read and why, in the same order.
        notes: what the source wants a user to know.
    """

    table: pa.Table
    refused: tuple[Refused, ...]
    notes: tuple[Note, ...]


def read_rows(items: Iterable[Found | Refused | Note], keep: Keep, tell: Tell, *, total: int | None = None) -> ReadRows:
    """Read all that a source found; `total`: how many items those are, where it is known.

    Raises:
        WorkspaceError: the copies cannot be written.
        BadDataError: what `items` raises.
    """
    notes: list[Note] = []
    refused: list[Refused] = []
    rows: list[Example] = []
    tables: list[pa.Table] = []
    left = iter(_without_notes(items, notes))
    done = 0
    writer = _Writer(keep)
    for results, batch in _in_order(partial(_read_batch, keep), iter(lambda: list(islice(left, _BATCH)), [])):
        writer.take(batch)
        for result in results:
            if isinstance(result, Refused):
                refused.append(result)
            else:
                rows.append(result)
        if len(rows) >= _ROWS:
            tables.append(table_of(rows))
            rows.clear()
        done += len(results)
        tell(Progress("reading pictures", done, total and max(done, total)))
    tell(Progress("reading pictures", done, done))
    writer.write()
    tables.append(table_of(rows))
    return ReadRows(pa.concat_tables(tables).cast(SCHEMA), tuple(refused), tuple(notes))


def _without_notes(items: Iterable[Found | Refused | Note], notes: list[Note]) -> Iterator[Found | Refused]:
    for item in items:
        if isinstance(item, Note):
            notes.append(item)
        else:
            yield item


@dataclass(slots=True)
class _New:
    """What is to be written of a batch."""

    copies: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    places: list[tuple[str, Path, int]] = field(default_factory=list[tuple[str, Path, int]])
    facts: dict[str, PictureFacts | UnreadablePictureError] = field(
        default_factory=dict[str, PictureFacts | UnreadablePictureError]
    )


_Results = tuple[list[Example | Refused], _New]


class _Writer:
    """Writes small copies, places and facts of many batches at once."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._new = _New()
        self._n_bytes = 0

    def take(self, batch: _New) -> None:
        self._new.copies += batch.copies
        self._new.places += batch.places
        self._new.facts |= batch.facts
        self._n_bytes += sum(len(data) for _, data in batch.copies)
        n_new = max(len(self._new.copies), len(self._new.places), len(self._new.facts))
        if n_new >= _WRITE_AT_ONCE or self._n_bytes >= _WRITE_BYTES:
            self.write()

    def write(self) -> None:
        # The copies first: facts without a copy would be no harm, but are of no use either.
        new, self._new, self._n_bytes = self._new, _New(), 0
        if new.copies:
            self._keep.blobs.put_many(new.copies)
        if new.places and self._keep.in_place is not None:
            self._keep.blobs.refer(self._keep.in_place, new.places)
        if new.facts and self._keep.facts is not None:
            self._keep.facts.put(new.facts)


def _in_order(read: Callable[[_Batch], _Results], batches: Iterator[_Batch]) -> Iterator[_Results]:
    """The results of all batches in their order, a few batches ahead on threads of their own."""
    threads = cores() + 1
    waiting: deque[Future[_Results]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="read") as pool:
        try:
            for batch in batches:
                waiting.append(pool.submit(read, batch))
                if len(waiting) >= threads * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _read_batch(keep: Keep, items: _Batch) -> _Results:
    results: list[Example | Refused] = [_NOT_YET] * len(items)
    new = _New()
    left = deque(enumerate(items))
    while left:
        _decode(keep, _read_some(left, results), results, new)
    return results, new


def _read_some(left: deque[tuple[int, Found | Refused]], results: list[Example | Refused]) -> list[_File]:
    """Take from `left` what makes one load for a decoding process, and note what cannot be read."""
    files: list[_File] = []
    n_bytes = 0
    with _disk.turn(left):
        while left and n_bytes < _BATCH_BYTES:
            place, item = left.popleft()
            if isinstance(item, Found):
                item = _File.read(place, item)
            if isinstance(item, Refused):
                results[place] = item
            else:
                files.append(item)
                n_bytes += len(item.data)
    return files


class _Disk:
    """Lets one thread read local files at a time, as long as they come fast.

    Each call to the system gives Python's lock away and waits to get it back: three threads that read small files
    that lie in memory spend four times the processor time of one. A slow disk is read by all of them.
    """

    _SLOW_S = 0.001

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_slow = False

    @contextmanager
    def turn(self, items: Collection[tuple[int, Found | Refused]]) -> Generator[None]:
        is_local = all(isinstance(item, Refused) or item.path is not None for _, item in items)
        if self._is_slow or not is_local:
            yield
            return
        with self._lock:
            before, start = len(items), time.perf_counter()
            yield
            self._is_slow = time.perf_counter() - start > self._SLOW_S * (before - len(items)) + 0.01


_disk = _Disk()


@dataclass(frozen=True, slots=True)
class _File:
    place: int
    found: Found
    data: bytes
    content: str

    @classmethod
    def read(cls, place: int, found: Found) -> _File | Refused:
        try:
            data = found.read()
        except UnreadablePictureError as error:
            return Refused(found.source, error.code, error.reason)
        except BadDataError as error:
            return Refused(found.source, "E_NOT_IMAGE", str(error))
        except FileNotFoundError:
            return Refused(found.source, "E_MISSING", "There is no such file: check the path.")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            return Refused(found.source, "E_UNREADABLE", f"The file cannot be read ({why}): check its rights and disk.")
        return cls(place, found, data, hashlib.sha256(data).hexdigest())


def _decode(keep: Keep, files: Sequence[_File], results: list[Example | Refused], new: _New) -> None:
    """Fill the places of `files` in `results`, write large copies, and collect in `new` what is to be written."""
    if not files:
        return
    known = keep.facts.get([file.content for file in files]) if keep.facts is not None else {}
    unknown = {file.content: file.data for file in files if file.content not in known}
    if unknown:
        new.facts |= (told := dict(zip(unknown, decoding_pool().facts(list(unknown.values())), strict=True)))
        known |= told
    for file in files:
        facts = known[file.content]
        if isinstance(facts, UnreadablePictureError):
            results[file.place] = Refused(file.found.source, facts.code, facts.reason)
        elif keep.in_place is not None and file.found.path is None:
            results[file.place] = Refused(
                file.found.source,
                "E_NOT_IN_PLACE",
                "It is no file of its own, or its name is no text: import it without keeping it in place.",
            )
        else:
            results[file.place] = _example(file, facts)
            if keep.in_place is not None and file.found.path is not None:
                new.places.append((file.content, file.found.path, len(file.data)))
            elif len(file.data) <= SMALL_BYTES:
                new.copies.append((file.content, file.data))
            else:
                keep.blobs.put_many([(file.content, file.data)])


def _example(file: _File, facts: PictureFacts) -> Example:
    found = file.found
    suffix = found.source[-5:].lower().rpartition(".")[2]
    formats = _SUFFIXES.get(suffix)
    mismatch = () if formats is None or facts.format in formats else ("W_EXT_MISMATCH",)
    return Example(
        content=file.content,
        pixels=facts.pixels,
        labels=found.labels,
        group=found.group,
        split=found.split or "",
        split_by="user" if found.split else "winnow",
        source=found.source,
        width=facts.width,
        height=facts.height,
        format=facts.format,
        bytes=len(file.data),
        is_grey=facts.is_grey,
        weight=found.weight,
        taken=found.taken or facts.taken,
        boxes=found.boxes,
        metadata=found.metadata,
        warnings=(*facts.warnings, *found.warnings, *mismatch),
        phash=facts.phash,
    )
