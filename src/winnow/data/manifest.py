"""One immutable version of a dataset as a table: a row an example, with the story of how it came about."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.data.whole_files import disk_errors, write_with
from winnow.errors import WorkspaceError

# The layout of the file. A reader refuses a newer one; it opens all older ones.
FORMAT_VERSION = 1

SCHEMA = pa.schema(
    [
        pa.field("content", pa.string(), nullable=False),
        pa.field("pixels", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("group", pa.string()),
        pa.field("split", pa.string(), nullable=False),
        pa.field("split_by", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("is_grey", pa.bool_(), nullable=False),
    ]
)
_META = b"winnow"


@dataclass(frozen=True, slots=True)
class Example:
    """One picture to learn from.

    Attributes:
        content: SHA-256 of its file, hex: the name of the workspace's copy.
        pixels: SHA-256 of shape and upright RGB, hex: the same picture in another file has the same value.
        label: the class, or None while it is unlabelled.
        group: what it belongs together with (a patient, a burst), or None.
        split: "train", "validation" or "test".
        split_by: "user" if the user said so, "winnow" if we drew it.
        source: as the user knows it: a path relative to what was imported, with forward slashes.
        width: of the upright picture, in pixels.
        height: of the upright picture, in pixels.
        format: "JPEG", "PNG", ...
        bytes: the size of the file.
        is_grey: are its three channels equal everywhere?
    """

    content: str
    pixels: str
    label: str | None
    group: str | None
    split: str
    split_by: str
    source: str
    width: int
    height: int
    format: str
    bytes: int
    is_grey: bool


_COLUMNS = tuple(part.name for part in dataclasses.fields(Example))


@dataclass(frozen=True)
class Manifest:
    """The table of a dataset version.

    Attributes:
        table: the rows, with the columns of `Example`.
        provenance: where it comes from: Winnow's version, when, the source, options, the version before.
    """

    table: pa.Table
    provenance: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, examples: Sequence[Example], provenance: dict[str, Any] | None = None) -> Manifest:
        """A manifest of these examples, in this order."""
        columns = {name: [getattr(example, name) for example in examples] for name in _COLUMNS}
        return cls(pa.Table.from_pydict(columns, schema=SCHEMA), provenance or {})

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
            return cls(table.select(_COLUMNS).cast(SCHEMA), meta.get("provenance", {}))
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise _damaged(path) from error

    def write(self, path: Path) -> None:
        """Write to `path` (Parquet), whole or not at all, and wait until the disk holds it.

        Raises:
            WorkspaceError: the disk refused.
        """
        meta = json.dumps({"format_version": FORMAT_VERSION, "provenance": self.provenance}, sort_keys=True)
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
        rows = zip(*(self.column(name) for name in _COLUMNS), strict=True)
        return [example for row in rows if (example := Example(*row)).split == (split or example.split)]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels present, sorted."""
        return tuple(sorted({label for label in self.column("label") if label is not None}))

    def counts(self) -> dict[str, dict[str, int]]:
        """How many labelled examples there are: counts()[label][split]."""
        counts: dict[str, dict[str, int]] = {label: {} for label in self.classes}
        for label, split in zip(self.column("label"), self.column("split"), strict=True):
            if label is not None:
                counts[label][split] = counts[label].get(split, 0) + 1
        return counts

    def digest(self) -> str:
        """SHA-256 of the rows (not of their provenance), the same on every machine."""
        sha = hashlib.sha256()
        for name in _COLUMNS:
            sha.update(json.dumps([name, self.column(name)], separators=(",", ":")).encode())
        return sha.hexdigest()


def _damaged(path: Path) -> WorkspaceError:
    return WorkspaceError(f"{path} is damaged or no manifest: restore it from a backup, or import the dataset again.")
