"""Hugging Face's layouts: metadata files beside pictures, and Parquet files with the pictures inside."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.sources.source import RefusedSourceError

from .finding import codes_in, found_in, items_in, refused_in
from .pictures import class_folders, file_of, noise


def _pictures(root: Path, *paths: str) -> None:
    for seed, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file_of(noise(seed)))


def _lines(path: Path, *records: dict[str, object]) -> None:
    path.write_text("\n".join(map(json.dumps, records)))


# imagefolder


def test_a_metadata_file_in_each_split_names_the_files_beside_it(tmp_path):
    _pictures(tmp_path, "train/1.png", "train/2.png", "test/1.png")
    _lines(
        tmp_path / "train" / "metadata.jsonl", {"file_name": "1.png", "label": 3}, {"file_name": "2.png", "label": 4}
    )
    _lines(tmp_path / "test" / "metadata.jsonl", {"file_name": "1.png", "label": 3})
    assert [(f.source, f.label, f.split) for f in found_in(tmp_path)] == [
        ("test/1.png", "3", "test"), ("train/1.png", "3", "train"), ("train/2.png", "4", "train"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_one_metadata_file_on_top_names_files_of_all_splits(kind, tmp_path):
    _pictures(tmp_path, "train/1.png", "validation/2.png")
    records = [{"file_name": "train/1.png", "label": "cat"}, {"file_name": "validation/2.png", "label": "dog"}]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), tmp_path / "metadata.parquet")
    elif kind == "csv":
        (tmp_path / "metadata.csv").write_text("file_name,label\ntrain/1.png,cat\nvalidation/2.png,dog\n")
    else:
        _lines(tmp_path / "metadata.jsonl", *records)
    assert [(f.source, f.label, f.split) for f in found_in(tmp_path)] == [
        ("train/1.png", "cat", "train"), ("validation/2.png", "dog", "validation"),
    ]  # fmt: skip


def test_where_the_metadata_say_no_class_the_folders_do(tmp_path):
    class_folders(tmp_path, {"train/cat": 2, "train/dog": 2, "test/cat": 1, "test/dog": 1})
    paths = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    _lines(tmp_path / "metadata.jsonl", *({"file_name": path, "length_mm": 4.5 + i} for i, path in enumerate(paths)))
    found = found_in(tmp_path)
    assert [(f.source, f.label, f.split) for f in found] == [(p, p.split("/")[1], p.split("/")[0]) for p in paths]
    assert found[1].metadata == {"length_mm": "5.5"}


def test_pictures_without_a_line_of_metadata_are_listed(tmp_path):
    _pictures(tmp_path, "1.png", "2.png", "3.png")
    _lines(tmp_path / "metadata.jsonl", {"file_name": "1.png", "label": "a"}, {"file_name": "2.png", "label": "b"})
    assert [(r.source, r.code) for r in refused_in(tmp_path)] == [("3.png", "E_NO_LABEL")]


def test_a_column_named_after_what_it_shows_holds_the_files(tmp_path):
    _pictures(tmp_path, "1.png", "2.png")
    rows = [{"caption_en": "x", "image_file_name": "1.png", "label": "a"}, {"image_file_name": "2.png", "label": "b"}]
    _lines(tmp_path / "metadata.jsonl", *rows)
    assert [f.source for f in found_in(tmp_path)] == ["1.png", "2.png"]


def test_metadata_of_something_else_are_not_the_pictures(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    (tmp_path / "metadata.csv").write_text("camera,lens\nA7,35\nA9,50\n")
    assert {f.label for f in found_in(tmp_path)} == {"cat", "dog"}


# Parquet


def _part(path: Path, labels: list[object], *, names: object = None, first: int = 0, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": file_of(noise(first + i)), "path": f"{first + i}.png"} for i in range(len(labels))]
    table = pa.table({"image": images, "label": labels})
    if names is not None:
        info = {"info": {"features": {"image": {"_type": "Image"}, "label": names}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    pq.write_table(table, path, **options)


CATS_AND_DOGS = {"names": ["cat", "dog"], "_type": "ClassLabel"}


def test_splits_and_class_names_are_read(tmp_path):
    _part(tmp_path / "data" / "train-00000-of-00002.parquet", [0, 1], names=CATS_AND_DOGS)
    _part(tmp_path / "data" / "train-00001-of-00002.parquet", [1, -1], names=CATS_AND_DOGS, first=2)
    _part(tmp_path / "data" / "test-00000-of-00001.parquet", [0], names=CATS_AND_DOGS, first=4)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    found = found_in(tmp_path)
    assert [(f.label, f.split) for f in found] == [
        ("cat", "test"), ("cat", "train"), ("dog", "train"), ("dog", "train"), (None, "train"),
    ]  # fmt: skip
    assert [decode(f.read()).pixels.tobytes() for f in found] == [noise(i).tobytes() for i in (4, 0, 1, 2, 3)]
    assert found[0].source == "data/test-00000-of-00001.parquet[0]"


@pytest.mark.parametrize("names", [{"feature": CATS_AND_DOGS, "_type": "Sequence"}, [CATS_AND_DOGS]])
def test_lists_of_numbers_are_several_labels(names, tmp_path):
    _part(tmp_path / "part-0.parquet", [[0, 1], [1], [], None], names=names)
    assert [f.labels for f in found_in(tmp_path)] == [("cat", "dog"), ("dog",), (), None]


def test_a_column_of_another_name_does_not_go_before_the_class_folders(tmp_path):
    _pictures(tmp_path, "cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png")
    cameras = {"cat/0.png": "A", "cat/1.png": "B", "dog/2.png": "A", "dog/3.png": "B"}
    _lines(tmp_path / "metadata.jsonl", *({"file_name": name, "camera": said} for name, said in cameras.items()))
    assert {found.source: (found.label, found.metadata["camera"]) for found in found_in(tmp_path)} == {
        name: (name.split("/")[0], said) for name, said in cameras.items()
    }


@pytest.mark.parametrize("unnamed", [None, "", 5])
def test_a_class_without_a_name_costs_its_rows(unnamed, tmp_path):
    pictures = [{"bytes": file_of(noise(i)), "path": None} for i in range(3)]
    features = {"label": {"names": ["cat", unnamed], "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(
        pa.table({"image": pictures, "label": [0, 1, -1]}).replace_schema_metadata(about), tmp_path / "t.parquet"
    )
    assert [found.labels for found in found_in(tmp_path)] == [("cat",), None]
    assert [line.code for line in refused_in(tmp_path)] == ["W_ROW_DROPPED"]


def test_class_names_may_stand_in_a_file_of_their_own(tmp_path):
    _part(tmp_path / "part-0.parquet", [0, 1])
    (tmp_path / "dataset_info.json").write_text(json.dumps({"features": {"label": CATS_AND_DOGS}}))
    assert [f.label for f in found_in(tmp_path)] == ["cat", "dog"]


def test_a_number_without_a_class_costs_its_row(tmp_path):
    _part(tmp_path / "part-0.parquet", [0, 1, 2], names=CATS_AND_DOGS)
    assert [f.label for f in found_in(tmp_path)] == ["cat", "dog"]
    assert codes_in(tmp_path) == ["W_ROW_DROPPED"]


@pytest.mark.parametrize("about", [b"{", b'{"info": 3}', b'{"info": {"features": {"label": [[[[[[]]]]]]}}}', b"\xff"])
def test_odd_notes_beside_the_data_are_passed_over(about, tmp_path):
    _part(tmp_path / "part-0.parquet", [0, 1])
    table = pq.read_table(tmp_path / "part-0.parquet").replace_schema_metadata({"huggingface": about})
    pq.write_table(table, tmp_path / "part-0.parquet")
    assert [f.label for f in found_in(tmp_path)] == ["0", "1"]


def test_a_row_without_a_picture_costs_its_line(tmp_path):
    pq.write_table(
        pa.table({"image": pa.array([file_of(noise(0)), None], pa.binary()), "label": ["a", "b"]}),
        tmp_path / "p.parquet",
    )
    found = found_in(tmp_path)
    assert decode(found[0].read()).pixels.tobytes() == noise(0).tobytes()
    with pytest.raises(UnreadablePictureError, match="holds no picture"):
        found[1].read()


def test_a_damaged_part_stops_with_its_name(tmp_path):
    _part(tmp_path / "a.parquet", [0, 1])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(RefusedSourceError, match=r"b\.parquet cannot be read.*E_ANN_SCHEMA"):
        items_in(tmp_path)


def test_finding_pictures_in_parquet_reads_none_of_them(tmp_path):
    # One row group, as pandas writes it, of 30 MB.
    images = [noise(i, 100, 100).tobytes() for i in range(1000)]
    pq.write_table(pa.table({"image": images, "label": [i % 10 for i in range(1000)]}), tmp_path / "p.parquet")
    del images
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    found = found_in(tmp_path)
    assert pa.total_allocated_bytes() - before < 4 << 20
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    assert len(found) == 1000
    assert found[999].read() == noise(999, 100, 100).tobytes()
