"""Parquet as Hugging Face's `datasets` writes it: pictures inside, `load_dataset(folder)` opens it.

data/train-00000-of-00002.parquet: image {bytes, path}, label (the number of a class; -1: none is known) or labels (a
list of numbers), and the columns that are in use. README.md, the dataset card, names the classes and the files.

Format: datasets' documentation, "Dataset features", "Structure your repository", "Create a dataset card"; lists are
written in the old form ("sequence"), which all of its versions read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from winnow.data.manifest import Example
from winnow.data.targets.columns import Columns
from winnow.data.targets.losses import losses
from winnow.data.targets.target import Out, Outgoing, Told
from winnow.events import Note, Tell

# Half a gigabyte is what `datasets` makes a file; a row group is what a reader must hold at least.
_FILE_BYTES = 500 << 20
_GROUP_BYTES = 32 << 20
_GROUP_ROWS = 1000
_IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])


class Parquet:
    """Everything but boxes, in few files."""

    name = "parquet"
    title = "Parquet files with the pictures inside"
    is_file = False

    def notes(self, going: Outgoing) -> list[Note]:
        """Boxes have no place here; which columns are renamed."""
        return [*losses(going, self.title, ("boxes",)), *_columns(going).notes()]

    def write(self, going: Outgoing, out: Out, tell: Tell) -> None:
        """The files of each split, and the card."""
        columns, told = _columns(going), Told(going, tell)
        numbers = {name: number for number, name in enumerate(going.classes)}
        schema = _schema(going, columns)
        for split in going.splits():
            counts = _rows_of_files(going.sizes(split))
            examples = going.examples(split)
            for place, n in enumerate(counts):
                with (
                    out.open(f"data/{split}-{place:05}-of-{len(counts):05}.parquet") as file,
                    _writer(file, schema) as writer,
                ):
                    for group in _groups(islice(examples, n)):
                        writer.write_table(_table(group, going, columns, schema, numbers, told))
        out.write("README.md", _card(going, columns).encode())


def _columns(going: Outgoing) -> Columns:
    return Columns.of(going, picture="image")


def _label(going: Outgoing) -> str:
    return "labels" if going.has_several_labels else "label"


def _schema(going: Outgoing, columns: Columns) -> pa.Schema:
    label = pa.list_(pa.int64()) if going.has_several_labels else pa.int64()
    fields = [pa.field("image", _IMAGE), pa.field(_label(going), label)]
    fields += [pa.field(name, pa.float64() if name in columns.numbers else pa.string()) for name in columns.names]
    features = {"image": {"_type": "Image"}, _label(going): _label_feature(going)}
    features |= {name: {"dtype": _dtype(name, columns), "_type": "Value"} for name in columns.names}
    about = {"info": {"features": features}}
    return pa.schema(fields, {b"huggingface": json.dumps(about).encode()})


def _label_feature(going: Outgoing) -> dict[str, Any]:
    feature: dict[str, Any] = {"names": list(going.classes), "_type": "ClassLabel"}
    return {"feature": feature, "_type": "Sequence"} if going.has_several_labels else feature


def _dtype(name: str, columns: Columns) -> str:
    return "float64" if name in columns.numbers else "string"


def _rows_of_files(sizes: Iterable[int]) -> list[int]:
    """How many rows each file gets, if their pictures have these sizes in bytes."""
    counts, n_bytes = [0], 0
    for size in sizes:
        if counts[-1] and n_bytes + size > _FILE_BYTES:
            counts.append(0)
            n_bytes = 0
        counts[-1] += 1
        n_bytes += size
    return counts


def _groups(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """What a row group holds: what a reader has in memory at once."""
    group: list[Example] = []
    n_bytes = 0
    for example in examples:
        if group and (n_bytes + example.bytes > _GROUP_BYTES or len(group) == _GROUP_ROWS):
            yield group
            group, n_bytes = [], 0
        group.append(example)
        n_bytes += example.bytes
    if group:
        yield group


def _writer(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    # Pictures are all different and packed: a dictionary or statistics of them would only be more of the same.
    others: Any = [name for name in schema.names if name != "image"]
    return pq.ParquetWriter(file, schema, compression="snappy", use_dictionary=others, write_statistics=others)


def _table(
    group: Sequence[Example],
    going: Outgoing,
    columns: Columns,
    schema: pa.Schema,
    numbers: Mapping[str, int],
    told: Told,
) -> pa.Table:
    images: list[dict[str, Any]] = []
    for example in group:
        images.append({"bytes": going.read(example.content), "path": example.source})
        told.one_more()
    labels = [_numbers(example.labels, numbers) for example in group]
    cells = [images, labels if going.has_several_labels else [-1 if n is None else n[0] for n in labels]]
    cells += [list(values) for values in zip(*map(columns.values, group), strict=True)]
    arrays = [pa.array(values, field.type) for values, field in zip(cells, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _numbers(labels: Iterable[str] | None, numbers: Mapping[str, int]) -> list[int] | None:
    return None if labels is None else [numbers[label] for label in labels]


def _card(going: Outgoing, columns: Columns) -> str:
    names = {"class_label": {"names": {str(number): name for number, name in enumerate(going.classes)}}}
    label = {"sequence": names} if going.has_several_labels else {"dtype": names}
    features = [{"name": "image", "dtype": "image"}, {"name": _label(going), **label}]
    features += [{"name": name, "dtype": _dtype(name, columns)} for name in columns.names]
    files = [{"split": split, "path": f"data/{split}-*"} for split in going.splits()]
    about = {
        "dataset_info": {"features": features},
        "configs": [{"config_name": "default", "data_files": files}],
    }
    return (
        f"---\n{yaml.safe_dump(about, allow_unicode=True, sort_keys=False)}---\n\n# {going.name}\n\n"
        f"{len(going):,} pictures of {len(going.classes):,} classes: version {going.version}, exported by Winnow.\n\n"
        "Write here where the pictures come from, and under which licence others may use them.\n"
    )
