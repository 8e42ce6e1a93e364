"""Vertex AI and AutoML Vision: places in a bucket are matched to files here, never fetched."""

from __future__ import annotations

import json

from .annotation_samples import CAT, DOG, vertex_line
from .annotations import outcome, pictures, write

USE = "aiplatform.googleapis.com/ml_use"


def _lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


def test_json_lines_give_boxes_and_splits(tmp_path):
    pictures(tmp_path, "photos/a.jpg", "photos/b.jpg")
    write(tmp_path / "data-00001.jsonl", _lines(vertex_line("a.jpg", CAT), vertex_line("b.jpg", DOG, "test")))
    got = outcome(tmp_path)
    assert got.splits() == {"photos/a.jpg": "train", "photos/b.jpg": "test"}
    assert (got.boxes("photos/a.jpg"), got.boxes("photos/b.jpg"), got.codes) == ([CAT], [DOG], set())


def test_one_or_several_labels_are_read(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    document = _lines(
        {"imageGcsUri": "gs://x/a.jpg", "classificationAnnotation": {"displayName": "cat"}},
        {"imageGcsUri": "gs://x/b.jpg", "classificationAnnotations": [{"displayName": n} for n in ("cat", "dog")]},
        {"imageGcsUri": "gs://x/c.jpg", "dataItemResourceLabels": {USE: "training"}},
    )
    got = outcome(write(tmp_path / "export.jsonl", document))
    assert got.labels() == {"a.jpg": ("cat",), "b.jpg": ("cat", "dog"), "c.jpg": None}


def test_as_much_of_the_place_as_there_is_tells_files_apart(tmp_path):
    pictures(tmp_path, "bucket/cat/1.jpg", "bucket/dog/1.jpg")
    rows = "TRAIN,gs://bucket/dog/1.jpg,dog\nTEST,gs://bucket/cat/1.jpg,cat\n"
    got = outcome(write(tmp_path / "all.csv", rows))
    assert got.labels() == {"bucket/dog/1.jpg": ("dog",), "bucket/cat/1.jpg": ("cat",)}


def test_two_places_are_never_the_same_file(tmp_path):
    """Downloaded into one folder, one 1.jpg has overwritten the other: nobody knows which is left."""
    pictures(tmp_path, "1.jpg", "2.jpg")
    rows = "gs://bucket/cat/1.jpg,cat\ngs://bucket/dog/1.jpg,dog\ngs://bucket/dog/2.jpg,dog\n"
    got = outcome(write(tmp_path / "all.csv", rows))
    assert got.labels() == {"2.jpg": ("dog",)}
    assert got.refused["1.jpg"].code == "E_ANN_REF"


def test_what_was_not_downloaded_is_refused_with_a_sentence(tmp_path):
    pictures(tmp_path, "a.jpg")
    got = outcome(write(tmp_path / "all.csv", "gs://b/a.jpg,cat\ngs://b/gone.jpg,dog\n"))
    line = got.refused["gs://b/gone.jpg"]
    assert line.code == "E_URL_BLOCKED"
    assert "download" in line.reason


def test_automl_csv_gives_boxes_on_several_lines(tmp_path):
    pictures(tmp_path, "image1.png", "im2.png", "im3.png", width=100, height=200)
    rows = (
        "TRAIN,gs://folder/image1.png,car,0.1,0.1,,,0.3,0.3,,\n"
        "TRAIN,gs://folder/image1.png,bike,.7,.6,,,.8,.9,,\n"
        "UNASSIGNED,gs://folder/im2.png,car,0.1,0.1,0.2,0.1,0.2,0.3,0.1,0.3\n"
        "TEST,gs://folder/im3.png,,,,,,,,,\n"
    )
    got = outcome(write(tmp_path / "boxes.csv", rows))
    assert got.labels() == {"image1.png": ("car", "bike"), "im2.png": ("car",), "im3.png": ()}
    assert got.boxes("image1.png") == [("car", 10, 20, 20, 40), ("bike", 70, 120, 10, 60)]
    assert got.boxes("im2.png") == [("car", 10, 20, 10, 40)]
    assert got.splits() == {"image1.png": "train", "im2.png": None, "im3.png": "test"}
    assert got.codes == set()


def test_a_broken_line_costs_itself_only(tmp_path):
    pictures(tmp_path, "a.jpg")
    good = json.dumps({"imageGcsUri": "gs://x/a.jpg", "classificationAnnotation": {"displayName": "cat"}})
    got = outcome(write(tmp_path / "a.jsonl", f"{good}\n{{broken\n5\n"))
    assert list(got.found) == ["a.jpg"]
    assert [line.code for line in got.refused.values()] == ["E_ANN_JSON", "E_ANN_SCHEMA"]


def test_a_line_of_csv_that_is_broken_costs_itself_only(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    got = outcome(write(tmp_path / "all.csv", f'gs://b/a.jpg,"cat\ngs://b/b.jpg,dog\ngs://b/c.jpg,{"x" * 200_000}\n'))
    assert got.labels() == {"b.jpg": ("dog",)}
    assert {name: line.code for name, line in got.refused.items()} == {
        "all.csv, line 1": "E_ANN_SCHEMA",
        "c.jpg": "E_NAME",
    }


def test_a_box_with_a_broken_number_is_no_row_of_classes(tmp_path):
    pictures(tmp_path, "a.jpg")
    got = outcome(write(tmp_path / "boxes.csv", "TRAIN,gs://b/a.jpg,cat,0.1,x,,,0.5,0.5,,\n"))
    assert (got.labels(), got.codes) == ({"a.jpg": ("cat",)}, {"W_BOX_DROPPED"})


def test_a_split_that_nobody_knows_is_told(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg")
    use = "aiplatform.googleapis.com/ml_use"
    lines = [
        {"imageGcsUri": f"gs://b/{name}.jpg", "classificationAnnotation": {"displayName": "cat"}}
        | {"dataItemResourceLabels": {use: split}}
        for name, split in (("a", "unassigned"), ("b", "holdout"))
    ]
    got = outcome(write(tmp_path / "all.jsonl", "\n".join(map(json.dumps, lines))))
    assert got.codes == {"W_SPLIT_UNKNOWN"}
    assert "holdout" in got.notes[0].text
