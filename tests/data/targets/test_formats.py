"""What is particular to each format, as the programs for which it is written want it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from winnow.data.manifest import Box
from winnow.data.targets import parquet, write_dataset
from winnow.errors import UserError
from winnow.events import tell_nobody

from .going import TARGETS_BY_NAME, export, going, imported, picture
from .test_round_trip import boxed, single, told, unlabelled


def _files(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


# Names of files


def test_class_folders_hold_the_files_under_their_own_names(tmp_path):
    odd = [
        picture(1, ("cat",), source="2024/1.png"),
        picture(2, ("cat",), source="2025/1.PNG"),
        picture(3, ("n/a",), source="shots.parquet[3]"),
        picture(4, None, source="https://x.org/p?q=1.jpg"),
        picture(5, ("cat",), source="CON.png"),
    ]
    export(odd, "folders", tmp_path / "out")
    second = odd[1].content[:8]
    assert _files(tmp_path / "out") == [
        "train/_unlabelled/p%3Fq=1.png",
        "train/cat/%43ON.png",
        f"train/cat/1-{second}.PNG",
        "train/cat/1.png",
        "train/n%2Fa/shots.parquet[3].png",
    ]


def test_a_table_keeps_the_folders_in_which_the_pictures_were(tmp_path):
    sources = ("2024/a:b/1.png", "../../etc/2.png", "/home/me/3.png", "c:\\x\\4.png", f"{'deep/' * 60}5.png")
    export([picture(n, ("cat",), source=source) for n, source in enumerate(sources)], "csv", tmp_path / "out")
    assert _files(tmp_path / "out") == [
        "images/2024/a%3Ab/1.png",
        "images/5.png",
        "images/c%3A%5Cx%5C4.png",
        "images/etc/2.png",
        "images/home/me/3.png",
        "labels.csv",
    ]


def test_a_class_whose_name_no_folder_can_have_is_told(tmp_path):
    with pytest.raises(UserError, match="too long for a folder"):
        export([picture(1, ("語" * 200,))], "zip", tmp_path / "out")


def test_pictures_without_label_are_told_where_they_lie(tmp_path):
    [note] = export(unlabelled(), "folders", tmp_path / "out")
    assert (note.code, str(note)) == (
        "W_UNLABELLED",
        "2 pictures without a label: in _unlabelled, which other programs will take for a class.",
    )


# CSV


def test_a_table_is_plain_where_the_dataset_is(tmp_path):
    export(single()[:2], "csv", tmp_path / "out")
    data = (tmp_path / "out" / "labels.csv").read_bytes()
    assert data == b"path,label,split\r\nimages/cat/0.png,cat,train\r\nimages/dog/1.png,dog,train\r\n"


def test_no_cell_would_be_run_by_a_spreadsheet(tmp_path):
    export(told(), "csv", tmp_path / "out")
    with (tmp_path / "out" / "labels.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    risky = [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert risky == ["-3.5"], "a number is a number"
    assert {"'=cmd|' /C calc'!A0", "'-1+1", "'=A1", "'@SUM(1)", "''=1"} <= set(cells)


def test_several_labels_are_divided_by_bars_where_names_allow_it(tmp_path):
    def cells(name: str, *labels: tuple[str, ...]) -> list[str]:
        export([picture(n, each) for n, each in enumerate(labels)], "csv", tmp_path / name)
        with (tmp_path / name / "labels.csv").open(newline="", encoding="utf-8") as file:
            return [row["label"] for row in csv.DictReader(file)]

    assert cells("bars", ("a", "b"), ("b",), ("a",)) == ["a|b", "b", "a"]
    assert cells("none", ("a", "b"), ("b",), ()) == ['["a", "b"]', '["b"]', "[]"]
    assert cells("names", ("a|b",), ("a",), ("b",)) == ['["a|b"]', '["a"]', '["b"]']


def test_columns_that_would_be_taken_for_something_else_are_renamed_and_told(tmp_path):
    metadata = {"Label": "5", "label": "6", "taken at": "2020-01-01", "file path": "a", "camera": "x"}
    [note] = export([picture(1, ("cat",), metadata=metadata)], "csv", tmp_path / "out")
    assert note.code == "W_COLUMN_RENAMED"
    [found] = imported(tmp_path / "out")
    renamed = {"Label (2)": "5", "label (3)": "6", "taken at (2)": "2020-01-01", "file path (2)": "a", "camera": "x"}
    assert (found.labels, found.taken, found.metadata) == (("cat",), None, renamed)


# COCO


def test_coco_files_are_called_and_filled_as_cocos_own(tmp_path):
    notes = export(boxed(), "coco", tmp_path / "out")
    assert _files(tmp_path / "out") == [
        "annotations/image_info_test.json",
        "annotations/instances_test.json",
        "annotations/instances_train.json",
        "annotations/instances_val.json",
        *("test/4.png", "test/5.png", "train/0.png", "train/3.png", "val/1.png", "val/2.png"),
    ]
    train = json.loads((tmp_path / "out" / "annotations" / "instances_train.json").read_text())
    assert train["categories"] == [{"id": 1, "name": "bird"}, {"id": 2, "name": "cat"}, {"id": 3, "name": "dog"}]
    assert train["images"] == [
        {"id": 1, "file_name": "0.png", "width": 16, "height": 12},
        {"id": 2, "file_name": "3.png", "width": 16, "height": 12},
    ]
    [*_, crowd] = train["annotations"]
    assert crowd == {
        "id": 3, "image_id": 1, "category_id": 3, "iscrowd": 1, "bbox": [0, 0, 16, 12], "area": 192, "segmentation": []
    }  # fmt: skip
    assert [note.code for note in notes] == ["W_NO_BOX"]
    assert "2 pictures with a class that has no box" in str(notes[0])


def test_numbers_of_pictures_and_annotations_differ_in_all_files_and_those_of_classes_do_not(tmp_path):
    export(boxed(), "coco", tmp_path / "out")
    documents = [json.loads(path.read_text()) for path in (tmp_path / "out" / "annotations").iterdir()]
    for key in ("images", "annotations"):
        ids = [entry["id"] for document in documents for entry in document.get(key, [])]
        assert sorted(ids) == list(range(1, len(ids) + 1))
    assert all(document["categories"] == documents[0]["categories"] for document in documents)


def test_a_box_of_a_class_that_was_taken_off_does_not_bring_it_back(tmp_path):
    example = picture(1, ("dog",), boxes=(Box("cat", 1, 1, 2, 2),))
    notes = export([example, picture(2, ("cat",))], "coco", tmp_path / "out")
    assert "boxes of classes that their pictures no longer have (1)" in " ".join(map(str, notes))
    assert {found.labels: found.boxes for found in imported(tmp_path / "out")} == {("dog",): (), ("cat",): ()}


def test_a_split_that_shows_nothing_at_all_is_told(tmp_path):
    notes = export([picture(1, ("cat", "dog")), picture(2, (), split="test")], "coco", tmp_path / "out")
    assert "No picture of the test split shows any class" in " ".join(map(str, notes))


# Parquet


def test_parquet_says_its_features_as_hugging_face_does(tmp_path):
    export(told(), "parquet", tmp_path / "out")
    assert _files(tmp_path / "out") == [
        "README.md",
        "data/test-00000-of-00001.parquet",
        "data/train-00000-of-00001.parquet",
    ]
    schema = pq.read_schema(tmp_path / "out" / "data" / "train-00000-of-00001.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names == ["image", "label", "group", "weight", "taken", *list(features)[5:]]
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"names": ["cat", "dog"], "_type": "ClassLabel"}
    assert features["weight"] == {"dtype": "float64", "_type": "Value"}
    assert str(schema.field("image").type) == "struct<bytes: binary, path: string>"
    table = pq.read_table(tmp_path / "out" / "data" / "train-00000-of-00001.parquet")
    assert table["label"].to_pylist() == [0, 1, 0, -1], "-1: nobody knows"


def test_the_dataset_card_names_classes_and_files(tmp_path):
    examples = [picture(1, ("yes", "no")), picture(2, ("no",), split="validation")]
    export(examples, "parquet", tmp_path / "out")
    _, head, text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n")
    about = yaml.safe_load(head)
    assert about["dataset_info"]["features"] == [
        {"name": "image", "dtype": "image"},
        {"name": "labels", "sequence": {"class_label": {"names": {"0": "no", "1": "yes"}}}},
    ]
    [config] = about["configs"]
    assert config["data_files"] == [
        {"split": "train", "path": "data/train-*"},
        {"split": "validation", "path": "data/validation-*"},
    ]
    assert "2 pictures of 2 classes: version 3" in text


def test_large_datasets_are_cut_into_files_and_groups_of_bounded_size(tmp_path, monkeypatch):
    examples = [picture(n, ("cat",)) for n in range(10)]
    size = examples[0].bytes
    monkeypatch.setattr(parquet, "_FILE_BYTES", 4.5 * size)
    monkeypatch.setattr(parquet, "_GROUP_BYTES", 2.5 * size)
    export(examples, "parquet", tmp_path / "out")
    files = sorted((tmp_path / "out" / "data").iterdir())
    assert [path.name[6:20] for path in files] == ["00000-of-00003", "00001-of-00003", "00002-of-00003"]
    groups = [pq.ParquetFile(path).metadata for path in files]
    assert [[g.row_group(i).num_rows for i in range(g.num_row_groups)] for g in groups] == [[2, 2], [2, 2], [2]]
    assert [found.metadata["file_name"] for found in imported(tmp_path / "out")] == [e.source for e in examples]


# One split


def test_one_split_alone_keeps_the_numbers_of_the_classes(tmp_path):
    examples = [picture(1, ("cat",)), picture(2, ("dog",), split="test")]
    version = going(examples, only="test")
    write_dataset(version, TARGETS_BY_NAME["coco"], tmp_path / "out", tell_nobody)
    assert _files(tmp_path / "out") == ["annotations/instances_test.json", "test/2.png"]
    document = json.loads((tmp_path / "out" / "annotations" / "instances_test.json").read_text())
    assert document["annotations"][0]["category_id"] == 2
