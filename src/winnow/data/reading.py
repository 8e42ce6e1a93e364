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
from winnow.data.writing import Writer
from winnow.events import Note, Progress, Tell
from winnow.machine import cores

# Files are handed to a decoding process so many at a time: enough that the handing over costs little beside decoding
# (MNIST digits take 0.1 ms), little enough for a live bar and for memory.
_BATCH = 128
_AHEAD = 4
"""Batches that are being read for each thread: results come in order, and a slow one must not stop the others."""
_ROWS = 4096

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


def read_rows(
    items: Iterable[Found | Refused | Note], writer: Writer, tell: Tell, *, total: int | None = None
) -> ReadRows:
    """Read all that a source found; `total`: how many items those are, where it is known.

    What is to be kept is given to `writer`, which may still be writing it afterwards.

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
    for results, new in _in_order(partial(read_batch, writer.keep), iter(lambda: list(islice(left, _BATCH)), [])):
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
