"""Create ML: boxes around their centres, and the two ways of giving labels alone."""

from __future__ import annotations

import pytest

from .annotations import outcome, pictures, write


def _import(tmp_path, document):
    return outcome(write(pictures(tmp_path, "a.jpg", "b.jpg") / "annotations.json", document))


def test_boxes_lie_around_their_centres(tmp_path):
    sides = {"x": 50, "y": 40, "width": 20, "height": 10}
    got = _import(tmp_path, [{"imagefilename": "a.jpg", "annotation": [{"label": "cat", "coordinates": sides}]}])
    assert got.boxes("a.jpg") == [("cat", 40, 35, 20, 10)]


@pytest.mark.parametrize(
    "entry",
    [
        {"filename": "a.jpg", "annotations": ["cat", "pot"]},
        {"image": "a.jpg", "labels": ["cat", "pot"]},
        {"image": "a.jpg", "annotations": [{"label": "cat"}, {"label": "pot"}]},
    ],
)
def test_labels_without_boxes_are_read(entry, tmp_path):
    assert _import(tmp_path, [entry]).labels() == {"a.jpg": ("cat", "pot")}


def test_one_label_a_picture_is_read(tmp_path):
    got = _import(tmp_path, [{"image": "a.jpg", "label": "cat"}, {"image": "b.jpg", "label": "dog"}])
    assert (got.labels(), got.codes) == ({"a.jpg": ("cat",), "b.jpg": ("dog",)}, set())


def test_a_picture_without_annotations_shows_nothing(tmp_path):
    document = [{"image": "a.jpg", "annotations": []}, {"image": "b.jpg", "annotations": [{"label": "cat"}]}]
    assert _import(tmp_path, document).labels() == {"a.jpg": (), "b.jpg": ("cat",)}


def test_a_broken_entry_costs_one_line(tmp_path):
    document = [{"image": "a.jpg", "annotations": [{"label": "cat"}]}, 5, {"image": "b.jpg", "annotations": [{}]}]
    got = _import(tmp_path, document)
    assert list(got.found) == ["a.jpg"]
    assert sorted(line.code for line in got.refused.values()) == ["E_ANN_SCHEMA", "E_NAME"]


def test_splits_come_from_folders(tmp_path):
    for split in ("train", "valid"):
        pictures(tmp_path, f"{split}/a.jpg")
        write(tmp_path / split / "_annotations.createml.json", [{"image": "a.jpg", "annotations": [{"label": "cat"}]}])
    assert outcome(tmp_path).splits() == {"train/a.jpg": "train", "valid/a.jpg": "validation"}
