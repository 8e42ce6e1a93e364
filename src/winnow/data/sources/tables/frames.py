"""DataFrames as tables: pandas, polars, pyarrow, and whatever else speaks Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from winnow.data.sources.source import Refused, RefusedSourceError
from winnow.data.sources.tables.arrow_cells import cells_of, unheld_among
from winnow.data.sources.tables.class_labels import class_names_of
from winnow.data.sources.tables.table import Row, Table, distinct_columns, dropped

_BATCH_ROWS = 1024


def is_frame(source: object) -> bool:
    """Is this a DataFrame? Looks at types only."""
    return isinstance(source, pa.Table) or hasattr(source, "__arrow_c_stream__") or _is_pandas(source)


def read_frame(source: Any) -> Table:
    """A DataFrame's rows.

    Raises:
        RefusedSourceError: E_ANN_SCHEMA, it cannot be read.
    """
    if _is_pandas(source):  # not through Arrow, which knows no Path, array or Pillow image
        return _read_pandas(source)
    try:
        table = source if isinstance(source, pa.Table) else pa.table(source)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"The table cannot be read ({error}): check that it opens elsewhere."
        ) from error
    columns, notes = distinct_columns(table.column_names)
    by_name: Mapping[str, Sequence[str]] = class_names_of(table.schema)
    names = {new: by_name[old] for new, old in zip(columns, table.column_names, strict=True) if old in by_name}
    return Table("the table", columns, partial(_arrow_rows, table), notes, names)


def _arrow_rows(table: pa.Table) -> Iterator[Row | Refused]:
    n = 0
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        for values in zip(*(cells_of(column) for column in batch.columns), strict=True):
            why = unheld_among(values)
            yield Row(f"row {n}", values) if why is None else dropped(f"row {n}", why)
            n += 1


def _read_pandas(frame: Any) -> Table:
    columns, notes = distinct_columns([str(name) for name in frame.columns])
    cells = [_pandas_cells(frame.iloc[:, i]) for i in range(len(columns))]
    return Table("the table", columns, partial(_zipped, cells), notes)


def _pandas_cells(series: Any) -> list[Any]:
    return series.astype(object).where(series.notna(), None).tolist()


def _zipped(cells: Sequence[Sequence[Any]]) -> Iterator[Row]:
    for n, values in enumerate(zip(*cells, strict=True)):
        yield Row(f"row {n}", values)


def _is_pandas(source: object) -> bool:
    kind = type(source)
    return kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame"
