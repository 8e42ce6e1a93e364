"""One immutable version of a dataset as a table: a row an example, with the story of how it came about."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from winnow.data.whole_files import disk_errors, write_with
from winnow.errors import WorkspaceError

# The layout of the file. A reader refuses a newer one; it opens all older ones.
FORMAT_VERSION = 2

Task = Literal["classify", "multilabel"]

_BOX = pa.struct(
    [
        pa.field("label", pa.string(), nullable=False),
        pa.field("x", pa.float64(), nullable=False),
        pa.field("y", pa.float64(), nullable=False),
        pa.field("width", pa.float64(), nullable=False),
        pa.field("height", pa.float64(), nullable=False),
        pa.field("is_crowd", pa.bool_(), nullable=False),
    ]
)

SCHEMA = pa.schema(
    [
        pa.field("content", pa.string(), nullable=False),
        pa.field("pixels", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("group", pa.string()),
        pa.field("split", pa.string(), nullable=False),
        pa.field("split_by", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("is_grey", pa.bool_(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("taken", pa.string()),
        pa.field("boxes", pa.list_(_BOX), nullable=False),
        pa.field("metadata", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("warnings", pa.list_(pa.string()), nullable=False),
        pa.field("phash", pa.binary(), nullable=False),
    ]
)
_META = b"winnow"
_ROWS = 4096  # that are looked at together
_NOTHING: list[Any] = []
# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around one thing: its top left corner and its size, in pixels of the upright picture.

    Attributes:
        is_crowd: it is around several things that nobody told apart (COCO's `iscrowd`).
    """

    label: str
    x: float
    y: float
    width: float
    height: float
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """One picture to learn from.

    Attributes:
        content: SHA-256 of its file, hex: the name of the workspace's copy.
        pixels: SHA-256 of shape and upright RGB, hex: the same picture in another file has the same value.
        labels: the classes it shows: one for `classify`, any number for `multilabel` (none: somebody looked, and no
            class applies); None while it is unlabelled.
        group: what it belongs together with (a patient, a burst), or None.
        split: "train", "validation" or "test".
        split_by: "user" if the user said so, "winnow" if we drew it.
        source: as the user knows it: a path relative to what was imported, with forward slashes.
        width: of the upright picture, in pixels.
        height: of the upright picture, in pixels.
        format: "JPEG", "PNG", ...
        bytes: the size of the file.
        is_grey: are its three channels equal everywhere?
        weight: how much it counts in learning, above 0; 1 is usual.
        taken: when the picture was taken, ISO 8601, or None.
        boxes: where things are in it, for detection.
        metadata: what else the user's table says of it, as text by column name.
        warnings: codes of what was done to read it (`Picture.warnings`) and its annotation.
        phash: its perceptual hash (`winnow.data.phash`); empty if none was computed.
    """

    content: str
    pixels: str
    labels: tuple[str, ...] | None
    group: str | None
    split: str
    split_by: str
    source: str
    width: int
    height: int
    format: str
    bytes: int
    is_grey: bool
    weight: float = 1.0
    taken: str | None = None
    boxes: tuple[Box, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    warnings: tuple[str, ...] = ()
    phash: bytes = b""

    @property
    def label(self) -> str | None:
        """Its class where it has exactly one, else None."""
        return self.labels[0] if self.labels is not None and len(self.labels) == 1 else None


def task_of(all_labels: Iterable[Sequence[str] | None]) -> Task:
    """ "multilabel" as soon as one labelled example has no class or several, else "classify"."""
    return "multilabel" if any(labels is not None and len(labels) != 1 for labels in all_labels) else "classify"


_COLUMNS = tuple(part.name for part in dataclasses.fields(Example))
# What is computed from the pixels may be computed better one day: that makes no other dataset.
_COMPUTED = ("warnings", "phash")


@dataclass(frozen=True)
class Manifest:
    """The table of a dataset version.

    Attributes:
        table: the rows, with the columns of `Example`.
        provenance: where it comes from: Winnow's version, when, the source, options, the version before.
        task: what its labels ask for: "classify" (one class a picture) or "multilabel".
    """

    table: pa.Table
    provenance: dict[str, Any] = field(default_factory=dict[str, Any])
    task: Task = "classify"

    @classmethod
    def of(
        cls, examples: Sequence[Example], provenance: dict[str, Any] | None = None, task: Task | None = None
    ) -> Manifest:
        """A manifest of these examples, in this order; `task` None: what the labels need (`task_of`)."""
        return cls(table_of(examples), provenance or {}, task or task_of(example.labels for example in examples))

    @classmethod
    def of_table(cls, table: pa.Table, provenance: dict[str, Any] | None = None) -> Manifest:
        """A manifest of rows that have `SCHEMA`, in this order."""
        lengths = _compute.list_value_length(table["labels"])
        is_single = _compute.all(_compute.equal(lengths, 1)).as_py() is not False  # None: nothing is labelled
        return cls(table, provenance or {}, "classify" if is_single else "multilabel")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest that lies at `path`.

        Raises:
            WorkspaceError: it is missing, damaged, or written by a newer Winnow.
        """
        try:
            with disk_errors("read", path):
                table = pq.read_table(path, use_threads=False, memory_map=False)
        except (pa.ArrowException, ValueError) as error:
            raise _damaged(path) from error
        try:
            meta: dict[str, Any] = json.loads((table.schema.metadata or {})[_META])
            version = int(meta["format_version"])
        except (KeyError, ValueError, TypeError) as error:
            raise _damaged(path) from error
        if version > FORMAT_VERSION:
            raise WorkspaceError(
                f"{path} was written by a newer Winnow (manifest format {version}; this one reads up to "
                f"{FORMAT_VERSION}): upgrade with pip install --upgrade winnow."
            )
        try:
            table = _without_label_column(table) if version == 1 else table
            return cls(table.select(_COLUMNS).cast(SCHEMA), meta.get("provenance", {}), meta.get("task", "classify"))
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise _damaged(path) from error

    def write(self, path: Path) -> None:
        """Write to `path` (Parquet), whole or not at all, and wait until the disk holds it.

        Raises:
            WorkspaceError: the disk refused.
        """
        about = {"format_version": FORMAT_VERSION, "provenance": self.provenance, "task": self.task}
        meta = json.dumps(about, sort_keys=True)
        table = self.table.replace_schema_metadata({_META: meta.encode()})
        with disk_errors("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_with(path, lambda file: pq.write_table(table, file, compression="zstd"), is_durable=True)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> list[Any]:
        """One column as a plain list."""
        return self.table.column(name).to_pylist()

    def examples(self, split: str | None = None) -> list[Example]:
        """The examples (of one split), in order."""
        return examples_of(
            self.table if split is None else self.table.filter(_compute.equal(self.table["split"], split))
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels present, sorted."""
        return tuple(sorted(_compute.unique(_compute.list_flatten(self.table["labels"])).to_pylist()))

    def counts(self) -> dict[str, dict[str, int]]:
        """How many labelled examples there are: counts()[label][split]; one of several labels counts for each."""
        counts: dict[str, dict[str, int]] = {label: {} for label in self.classes}
        for labels, split in zip(self.column("labels"), self.column("split"), strict=True):
            for label in labels or ():
                counts[label][split] = counts[label].get(split, 0) + 1
        order = ("train", "validation", "test")
        return {label: {split: by[split] for split in order if split in by} for label, by in counts.items()}

    def digest(self) -> str:
        """SHA-256 of the rows (neither of their provenance nor of what can be computed), equal on every machine."""
        sha = hashlib.sha256(self.task.encode())
        for name in _COLUMNS:
            if name not in _COMPUTED:
                for text in _as_json(name, self.table[name]):
                    sha.update(text.encode())
        return sha.hexdigest()


def _as_json(name: str, column: pa.ChunkedArray) -> Iterator[str]:
    """[name, column] as JSON, in pieces: the whole text of a million rows would take as much room as the rows."""
    yield f"[{json.dumps(name)},["
    comma = ""
    for start in range(0, len(column), _ROWS):
        values = _plain(column.slice(start, _ROWS))
        yield comma + json.dumps(values, separators=(",", ":"))[1:-1]
        comma = ","
    yield "]]"


def _plain(part: pa.ChunkedArray) -> list[Any]:
    # Boxes, metadata and warnings are mostly nowhere: lists of nothing are not asked one by one.
    if pa.types.is_nested(part.type) and not part.null_count:
        chunks: list[Any] = part.chunks
        if all(chunk.offsets[0] == chunk.offsets[-1] for chunk in chunks if len(chunk)):
            return [_NOTHING] * len(part)
    return part.to_pylist()


def table_of(examples: Sequence[Example]) -> pa.Table:
    """Examples as rows."""
    columns: dict[str, list[Any]] = {name: [getattr(example, name) for example in examples] for name in _COLUMNS}
    columns["boxes"] = _nested([example.boxes for example in examples], dataclasses.asdict)
    columns["metadata"] = _nested([example.metadata.items() for example in examples], tuple)
    columns["warnings"] = _nested([example.warnings for example in examples], str)
    arrays = [pa.array(columns[part.name], part.type) for part in SCHEMA]
    return in_one_piece(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))


def in_one_piece(batch: pa.RecordBatch) -> pa.Table:
    """The same rows side by side in memory: what `pa.array` leaves lies in rooms that are up to twice as large."""
    return pa.Table.from_batches([pa.ipc.read_record_batch(batch.serialize(), batch.schema)])


def _nested(values: list[Any], plain: Callable[[Any], Any]) -> list[list[Any]]:
    # Most pictures have none of these, and asking for an empty list costs nothing.
    return [[plain(item) for item in value] if value else _NOTHING for value in values]


def examples_of(table: pa.Table) -> list[Example]:
    """Rows as examples."""
    return [example for batch in table.to_batches(max_chunksize=_ROWS) for example in _examples(batch)]


def _examples(batch: pa.RecordBatch) -> Iterator[Example]:
    for row in zip(*(batch.column(name).to_pylist() for name in _COLUMNS), strict=True):
        values = dict(zip(_COLUMNS, row, strict=True))
        values["labels"] = None if values["labels"] is None else tuple(values["labels"])
        values["boxes"] = tuple(Box(**box) for box in values["boxes"])
        values["metadata"] = dict(values["metadata"])
        values["warnings"] = tuple(values["warnings"])
        yield Example(**values)


def _without_label_column(table: pa.Table) -> pa.Table:
    """Format 1 had one `label` a picture and none of the columns after `is_grey`."""
    labels = [None if label is None else [label] for label in table["label"].to_pylist()]
    columns = {name: table[name] for name in table.column_names if name != "label"}
    blank: dict[str, Any] = {"weight": 1.0, "taken": None, "boxes": [], "metadata": [], "warnings": [], "phash": b""}
    columns |= {name: pa.array([value] * len(labels), SCHEMA.field(name).type) for name, value in blank.items()}
    return pa.table(columns | {"labels": pa.array(labels, SCHEMA.field("labels").type)})


def _damaged(path: Path) -> WorkspaceError:
    return WorkspaceError(f"{path} is damaged or no manifest: restore it from a backup, or import the dataset again.")
