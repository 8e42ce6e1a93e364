"""How the answers to many pictures are written, by arrays: a shard's bytes, and shards joined to one file."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from winnow.api.answer_table import header, table_cells
from winnow.data.class_names import encodable
from winnow.errors import UserError
from winnow.tasks.answering import Said, chosen, is_sure, ranked, said_of

Form = Literal["parquet", "csv", "jsonl"]
FORMS: tuple[Form, ...] = ("parquet", "csv", "jsonl")
_CELLS_AT_ONCE = 1 << 22
"""Numbers of a row group while Parquet shards are joined: 16 MB of them."""
_TEXT_CELLS = 32
"""A row's path, label and error take as much room as so many numbers."""
_NOTHING = Said((), None, None)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to N pictures.

    Attributes:
        sources: (N,) their paths.
        probs: (N, C) in the order of `classes`; of a picture without an answer, anything.
        errors: why a picture has no answer, by its place.
        classes: (C,) names.
        thresholds: (C,) from which probability on each is answered; None: the likeliest is.
        sure_from: from which probability on the one answer may be called sure.
    """

    sources: Sequence[str]
    probs: npt.NDArray[np.float32]
    errors: dict[int, str]
    classes: tuple[str, ...]
    thresholds: tuple[float, ...] | None
    sure_from: float | None


def form_of(out: Path) -> Form:
    """By the ending of a file's name.

    Raises:
        UserError: it is none of ours.
    """
    ending = out.suffix.lower().removeprefix(".")
    for form in FORMS:
        if form == ending:
            return form
    raise UserError(f"Answers are written as .parquet, .csv or .jsonl, not as '{out.name}': change the ending.")


def shard_of(answered: Answered, form: Form) -> bytes:
    """The answers in a form, to be joined with other shards of the same model and form."""
    return _FORMS[form][0](answered)


def join(shards: Sequence[Path], form: Form, classes: Sequence[str], *, has_several: bool, file: BinaryIO) -> None:
    """Write shards to a file one after the other, as one table; memory stays flat."""
    _FORMS[form][1](shards, classes, has_several, file)


def errors_in(shard: Path, form: Form) -> int:
    """How many pictures of a shard have an error in place of an answer."""
    return _FORMS[form][2](shard)


def _csv(answered: Answered) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    classes, thresholds = answered.classes, answered.thresholds
    for place, (source, probs) in enumerate(zip(answered.sources, answered.probs.tolist(), strict=True)):
        error = answered.errors.get(place)
        said = said_of(probs, classes, thresholds) if error is None else _NOTHING
        shown = probs if error is None else [None] * len(classes)
        cells = table_cells(source, said.labels, said.prob, shown, error, has_several=thresholds is not None)
        writer.writerow(cells)
    return text.getvalue().encode()


def _join_csv(shards: Sequence[Path], classes: Sequence[str], has_several: bool, file: BinaryIO) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(header(classes, has_several=has_several))
    file.write(text.getvalue().encode())
    _join_lines(shards, classes, has_several, file)


def _csv_errors(shard: Path) -> int:
    with shard.open(encoding="utf-8", newline="") as file:
        return sum(row[-1] != "" for row in csv.reader(file))


def _jsonl(answered: Answered) -> bytes:
    lines: list[str] = []
    classes, thresholds, has_several = answered.classes, answered.thresholds, answered.thresholds is not None
    for place, (source, probs) in enumerate(zip(answered.sources, answered.probs.tolist(), strict=True)):
        error = answered.errors.get(place)
        said = said_of(probs, classes, thresholds) if error is None else _NOTHING
        order = ranked(probs) if error is None else []
        values = {
            "source": encodable(source),
            "label": said.label,
            "labels": said.labels,
            "prob": said.prob,
            "probs": {classes[one]: probs[one] for one in order},
            "error": error,
            "is_sure": is_sure(said.labels, said.prob, has_several=has_several, sure_from=answered.sure_from),
        }
        lines.append(json.dumps(values, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()


def _join_lines(shards: Sequence[Path], classes: Sequence[str], has_several: bool, file: BinaryIO) -> None:
    for shard in shards:
        with shard.open("rb") as source:
            shutil.copyfileobj(source, file)


def _jsonl_errors(shard: Path) -> int:
    with shard.open("rb") as file:
        return sum(json.loads(line)["error"] is not None for line in file)


def _parquet(answered: Answered) -> bytes:
    """The columns of the CSV table: source, label and prob or labels, a prob_ for each class, error."""
    n = len(answered.sources)
    is_bad = np.array([place in answered.errors for place in range(n)], dtype=np.bool_)
    columns: list[Any] = [pa.array([encodable(source) for source in answered.sources], pa.string())]
    places_of = [chosen(probs, answered.thresholds) for probs in answered.probs.tolist()]
    if answered.thresholds is not None:
        labels = [
            None if bad else [answered.classes[one] for one in places]
            for places, bad in zip(places_of, is_bad, strict=True)
        ]
        columns.append(pa.array(labels, pa.list_(pa.string())))
    else:
        best = [places[0] for places in places_of]
        names = [None if bad else answered.classes[one] for one, bad in zip(best, is_bad, strict=True)]
        columns += [pa.array(names, pa.string()), pa.array(answered.probs[np.arange(n), best], mask=is_bad)]
    columns += [pa.array(column, mask=is_bad) for column in np.ascontiguousarray(answered.probs.T)]
    columns.append(pa.array([answered.errors.get(place) for place in range(n)], pa.string()))
    names = header(answered.classes, has_several=answered.thresholds is not None)
    buffer = io.BytesIO()
    # As text is written, packed; the whole is packed when shards are joined.
    pq.write_table(pa.Table.from_arrays(columns, names=names), buffer, compression="zstd")
    return buffer.getvalue()


def _join_parquet(shards: Sequence[Path], classes: Sequence[str], has_several: bool, file: BinaryIO) -> None:
    waiting: list[Any] = []
    n_cells = 0
    writer: Any = None
    for shard in shards:
        table: Any = pq.read_table(shard, memory_map=True)
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        waiting.append(table)
        n_cells += table.num_rows * (table.num_columns + _TEXT_CELLS)
        if n_cells >= _CELLS_AT_ONCE:
            writer.write_table(pa.concat_tables(waiting))
            waiting, n_cells = [], 0
    if waiting:
        writer.write_table(pa.concat_tables(waiting))
    writer.close()


def _parquet_errors(shard: Path) -> int:
    column: Any = pq.read_table(shard, columns=["error"]).column(0)
    return len(column) - column.null_count


_Shard = Callable[[Answered], bytes]
_Join = Callable[[Sequence[Path], Sequence[str], bool, BinaryIO], None]
_Errors = Callable[[Path], int]
_FORMS: dict[Form, tuple[_Shard, _Join, _Errors]] = {
    "csv": (_csv, _join_csv, _csv_errors),
    "jsonl": (_jsonl, _join_lines, _jsonl_errors),
    "parquet": (_parquet, _join_parquet, _parquet_errors),
}
