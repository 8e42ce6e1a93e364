"""YOLO: which text file belongs to which picture, names and splits out of data.yaml, boxes out of lines."""

from __future__ import annotations

import pytest

from .annotation_samples import CAT, DOG, yolo
from .annotations import outcome, pictures, write

NAMES = "names: [cat, dog]\n"


def _one(tmp_path, line, yaml="train: images\nval: images\n" + NAMES):
    """One picture with this text, imported."""
    pictures(tmp_path, "images/a.jpg")
    write(tmp_path / "labels/a.txt", line)
    write(tmp_path / "data.yaml", yaml)
    return outcome(tmp_path)


def test_ultralytics_folders_are_read_with_their_splits(tmp_path):
    for split in ("train", "val"):
        pictures(tmp_path, f"images/{split}/a.jpg", f"images/{split}/empty.jpg")
        write(tmp_path / f"labels/{split}/a.txt", yolo(0, *CAT))
    write(tmp_path / "data.yaml", f"path: /content/ds\ntrain: images/train\nval: images/val\n{NAMES}")
    got = outcome(tmp_path)
    assert got.splits()["images/train/a.jpg"] == "train"
    assert got.splits()["images/val/a.jpg"] == "validation"
    assert got.labels()["images/val/empty.jpg"] == ()
    assert got.boxes("images/train/a.jpg") == [CAT]


def test_roboflow_folders_are_read_with_their_splits(tmp_path):
    for split in ("train", "valid", "test"):
        pictures(tmp_path, f"{split}/images/a.jpg")
        write(tmp_path / split / "labels/a.txt", yolo(1, *DOG))
    places = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
    write(tmp_path / "data.yaml", f"{places}nc: 2\n{NAMES}roboflow:\n  project: x\n")
    got = outcome(tmp_path)
    assert list(got.splits().values()) == ["test", "train", "validation"]
    assert got.codes == set()


def test_lists_of_pictures_written_on_another_disk_say_the_split(tmp_path):
    pictures(tmp_path, "obj/a.jpg", "obj/b.jpg")
    write(tmp_path / "obj/a.txt", yolo(0, *CAT))
    write(tmp_path / "obj/b.txt", yolo(1, *DOG))
    write(tmp_path / "train.txt", "/home/me/data/obj/a.jpg\n")
    write(tmp_path / "val.txt", "data/obj/b.jpg\n")
    write(tmp_path / "data.yaml", f"train: train.txt\nval: ./val.txt\n{NAMES}")
    assert outcome(tmp_path).splits() == {"obj/a.jpg": "train", "obj/b.jpg": "validation"}


@pytest.mark.parametrize("name", ["obj.names", "classes.txt", "_darknet.labels"])
def test_darknets_names_are_read(name, tmp_path):
    pictures(tmp_path, "obj/a.jpg")
    write(tmp_path / "obj/a.txt", yolo(1, *DOG))
    write(tmp_path / name, "cat\ndog\n")
    assert outcome(tmp_path).labels() == {"obj/a.jpg": ("dog",)}


def test_a_blank_line_among_the_names_takes_a_number_too(tmp_path):
    pictures(tmp_path, "obj/a.jpg")
    write(tmp_path / "obj/a.txt", yolo(2, *DOG))
    write(tmp_path / "classes.txt", "cat\n\nd\x0cog\n")  # a form feed ends no line
    assert outcome(tmp_path).labels() == {"obj/a.jpg": ("d og",)}


@pytest.mark.parametrize(
    ("names", "code"),
    [("cat\ncat\n", "W_CLASS_MERGED"), ("\ufeffcat\ndog\n", "W_BOM"), ("caf\xe9\n".encode("latin-1"), "E_ANN_SCHEMA")],
)
def test_what_is_odd_about_a_list_of_names_is_told(names, code, tmp_path):
    pictures(tmp_path, "obj/a.jpg")
    write(tmp_path / "obj/a.txt", yolo(0, *DOG))
    write(tmp_path / "classes.txt", names)
    assert outcome(tmp_path).codes == {code}


def test_without_names_classes_are_numbers(tmp_path):
    pictures(tmp_path, "images/a.jpg")
    write(tmp_path / "labels/a.txt", yolo(7, *CAT))
    got = outcome(tmp_path)
    assert got.labels() == {"images/a.jpg": ("7",)}
    assert "no names" in got.notes[0].text


def test_names_stay_as_they_are_written(tmp_path):
    got = _one(
        tmp_path, "0 .5 .5 .1 .1\n1 .5 .5 .2 .2\n2 .5 .5 .3 .3\n", "train: .\nnames:\n  0: no\n  1: 01\n  2: ~\n"
    )
    assert got.labels() == {"images/a.jpg": ("no", "01", "~")}


def test_an_outline_becomes_the_box_around_it(tmp_path):
    got = _one(tmp_path, "0 0.25 0.25 0.5 0.25 0.5 0.75 0.25 0.5\n")
    assert got.boxes("images/a.jpg") == [("cat", 24, 18, 24, 36)]
    assert got.codes == {"W_SEG_DROPPED"}


def test_keypoints_follow_the_box(tmp_path):
    yaml = "train: images\nkpt_shape: [2, 3]\n" + NAMES
    got = _one(tmp_path, "0 0.5 0.5 0.5 0.5 0.1 0.1 2 0.2 0.2 2\n", yaml)
    assert got.boxes("images/a.jpg") == [("cat", 24, 18, 48, 36)]
    assert got.codes == {"W_UNKNOWN_KEY"}


def test_a_damaged_text_costs_its_picture_only(tmp_path):
    pictures(tmp_path, "images/b.jpg")
    write(tmp_path / "labels/b.txt", yolo(1, *DOG))
    got = _one(tmp_path, "0 0.5 0.5 0.2 0.2\n0 0,5\n")
    assert list(got.found) == ["images/b.jpg"]
    assert got.refused["images/a.jpg"].code == "E_ANN_SCHEMA"
    assert "Line 2" in got.refused["images/a.jpg"].reason


@pytest.mark.parametrize(
    ("yaml", "code"),
    [
        ("nc: 3\ntrain: images\n" + NAMES, "E_ANN_SCHEMA"),
        ("train: images\nnames: coco.names\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: {a: cat}\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: ['', dog]\n", "E_NAME"),
        ("train: images\nnames: &n [cat]\nmore: *n\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: !!set {cat, dog}\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: [[[[[[[[[[[[cat]]]]]]]]]]]]\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: [cat\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: [cat]\nnames: [dog]\n", "E_ANN_SCHEMA"),
        ("train: images\nnames:\n  0: cat\n  0: dog\n", "E_ANN_SCHEMA"),
        ("train: images\nnames:\n  0: cat\n  00: dog\n", "E_ANN_SCHEMA"),
        ("train: images\nnames: [cat]\x00\n", "E_ANN_SCHEMA"),
    ],
)
def test_a_data_yaml_that_is_none_is_refused(yaml, code, tmp_path):
    assert _one(tmp_path, "0 .5 .5 .1 .1\n", yaml).error == code


def test_pictures_without_any_label_file_wait_for_their_labels(tmp_path):
    pictures(tmp_path, "images/a.jpg")
    got = outcome(write(tmp_path / "data.yaml", "train: images\n" + NAMES))
    assert (got.labels(), got.codes) == ({"images/a.jpg": None}, {"W_NO_ANNOTATIONS"})


def test_a_folder_for_each_class_with_a_data_yaml_is_class_folders(tmp_path):
    pictures(tmp_path, "train/cat/a.jpg", "val/cat/a.jpg")
    write(tmp_path / "data.yaml", "train: train\n" + NAMES)
    assert outcome(tmp_path).labels() == {"train/cat/a.jpg": ("cat",), "val/cat/a.jpg": ("cat",)}


def test_a_place_outside_of_the_folder_is_not_looked_at(tmp_path):
    pictures(tmp_path, "secret/a.jpg")
    got = _one(tmp_path / "in", "0 .5 .5 .1 .1\n", f"train: images\nval: ../secret\ntest: {tmp_path}/secret\n{NAMES}")
    assert list(got.found) == ["images/a.jpg"]
    assert {line.code for line in got.refused.values()} == {"E_ANN_PATH"}
    assert len(got.refused) == 2
