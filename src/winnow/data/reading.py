"""From what a source found to rows of examples: read, decoded and kept batch by batch, in order.

Whatever happens to one file costs one line. Memory does not grow with the number of files, but for the rows themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import pyarrow as pa

from winnow.data.batch import Keep as Keep
from winnow.data.batch import New, Row, read_batch
from winnow.data.manifest import SCHEMA, in_one_piece
from winnow.data.sources.source import Found, Refused
from winnow.events import Note, Progress, Tell
from winnow.machine import cores

# Files are handed to a decoding process so many at a time: enough that the handing over costs little beside decoding
# (MNIST digits take 0.1 ms), little enough for a live bar and for memory.
_BATCH = 128
_AHEAD = 4
"""Batches that are being read for each thread: results come in order, and a slow one must not stop the others."""
_ROWS = 4096
_WRITE_AT_ONCE = 8192
"""Small files that go to the disk in one transaction: each touches its own page of an index, whatever it holds."""
_WRITE_BYTES = 32 << 20
"""But no more than this of their bytes wait for it."""

_Batch = list[Found | Refused]
_Results = tuple[list[Row | Refused], New]


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
    rows: list[Row] = []
    tables: list[pa.Table] = []
    left = iter(_without_notes(items, notes))
    done = 0
    with _Writer(keep) as writer:
        for results, new in _in_order(partial(read_batch, keep), iter(lambda: list(islice(left, _BATCH)), [])):
            writer.take(new)
            for result in results:
                if isinstance(result, Refused):
                    refused.append(result)
                else:
                    rows.append(result)
            if len(rows) >= _ROWS:
                tables.append(_table(rows))
                rows.clear()
            done += len(results)
            tell(Progress("reading pictures", done, total and max(done, total)))
        writer.finish()
    tell(Progress("reading pictures", done, done))
    tables.append(_table(rows))
    return ReadRows(pa.concat_tables(tables).cast(SCHEMA), tuple(refused), tuple(notes))


def _table(rows: Sequence[Row]) -> pa.Table:
    if not rows:
        return SCHEMA.empty_table()
    columns = zip(*rows, strict=True)
    arrays = [pa.array(next(columns), part.type) for part in SCHEMA]
    return in_one_piece(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))


def _without_notes(items: Iterable[Found | Refused | Note], notes: list[Note]) -> Iterator[Found | Refused]:
    for item in items:
        if isinstance(item, Note):
            notes.append(item)
        else:
            yield item


class _Writer:
    """Writes small copies, places and facts of many batches at once, on a thread of its own."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._new = New()
        self._n_bytes = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._written: Future[None] | None = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def take(self, batch: New) -> None:
        """Write it sooner or later; raises WorkspaceError if what came before could not be written."""
        self._new.copies += batch.copies
        self._new.places += batch.places
        self._new.facts |= batch.facts
        self._n_bytes += sum(len(data) for _, data in batch.copies)
        n_new = max(len(self._new.copies), len(self._new.places), len(self._new.facts))
        if n_new >= _WRITE_AT_ONCE or self._n_bytes >= _WRITE_BYTES:
            self._start()

    def finish(self) -> None:
        """Wait until all is written; raises WorkspaceError if it could not be."""
        self._start()
        self._wait()

    def _start(self) -> None:
        self._wait()  # one at a time: what waits to be written lies in memory
        new, self._new, self._n_bytes = self._new, New(), 0
        self._written = self._pool.submit(self._write, new)

    def _wait(self) -> None:
        if self._written is not None:
            self._written.result()

    def _write(self, new: New) -> None:
        # The copies first: facts without a copy would be no harm, but are of no use either.
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
