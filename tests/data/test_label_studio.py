"""Label Studio: which annotation counts, what was said in it, and which file a task means."""

from __future__ import annotations

import pytest

from .annotation_samples import CAT, rectangle
from .annotations import outcome, pictures, write


def _choice(*names, **more):
    return {"result": [{"type": "choices", "value": {"choices": list(names)}}], **more}


def _task(image, *annotations):
    return {"id": 1, "data": {"text": "hello", "image": image}, "annotations": list(annotations), "predictions": []}


def _import(tmp_path, *tasks):
    return outcome(write(tmp_path / "export.json", list(tasks)))


def test_the_latest_annotation_that_was_not_cancelled_counts(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    got = _import(
        tmp_path,
        _task("a.jpg", _choice("new", updated_at="2024-02-01"), _choice("old", updated_at="2024-01-01")),
        _task(
            "b.jpg", _choice("kept", updated_at="2024-01-01"), _choice("x", updated_at="2024-02-01", was_cancelled=1)
        ),
        _task("c.jpg", _choice("x", was_cancelled=True)),
        _task("d.jpg", {"result": []}),
    )
    assert got.labels() == {"a.jpg": ("new",), "b.jpg": ("kept",), "c.jpg": None, "d.jpg": ()}


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("/data/upload/3/0a1b2c3d-my%20cat.jpg", "0a1b2c3d-my cat.jpg"),
        ("/data/upload/3/0a1b2c3d-my cat.jpg", "my cat.jpg"),
        ("/data/local-files/?d=photos%2Fday/1.jpg", "day/1.jpg"),
        ("https://host/files/1.jpg?token=x", "files/1.jpg"),
        ("s3://bucket/photos/1.jpg", "1.jpg"),
        ("photos/1.jpg", "photos/1.jpg"),
    ],
)
def test_a_task_is_matched_to_a_file_by_the_end_of_its_name(image, file, tmp_path):
    pictures(tmp_path, file, "other.jpg")
    assert _import(tmp_path, _task(image, _choice("cat"))).labels() == {file: ("cat",)}


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("/etc/passwd.jpg", "E_ANN_PATH"),
        ("../../x.jpg", "E_ANN_PATH"),
        ("/data/upload/1/../../../etc/gone.jpg", "E_MISSING"),
        ("/data/local-files/?d=../../gone.jpg", "E_MISSING"),
        ("http://169.254.169.254/latest.jpg", "E_URL_BLOCKED"),
    ],
)
def test_a_task_never_reaches_outside(image, code, tmp_path):
    pictures(tmp_path, "in/a.jpg", "x.jpg")
    got = _import(tmp_path / "in", _task(image, _choice("cat")))
    assert (list(got.found), [line.code for line in got.refused.values()]) == ([], [code])


def test_shapes_become_boxes(tmp_path):
    pictures(tmp_path, "a.jpg", width=100, height=100)
    size = {"original_width": 100, "original_height": 100}
    turned = {"x": 50, "y": 20, "width": 20, "height": 10, "rotation": 90, "rectanglelabels": ["turned"]}
    result = [
        {
            "type": "polygonlabels",
            "value": {"points": [[10, 10], [30, 10], [20, 40]], "polygonlabels": ["outline"]},
            **size,
        },
        {"type": "ellipselabels", "value": {"x": 50, "y": 60, "radiusX": 10, "radiusY": 5, "ellipselabels": ["round"]}},
        {"type": "brushlabels", "value": {"rle": [1, 2], "format": "rle", "brushlabels": ["brush"]}},
        {"type": "rectanglelabels", "value": turned, **size},
        {"type": "textarea", "value": {"text": ["hello"]}},
    ]
    got = _import(tmp_path, _task("a.jpg", {"result": result}))
    assert got.labels() == {"a.jpg": ("outline", "round", "brush", "turned")}
    # Turned clockwise by 90 degrees about its left top corner, a flat box hangs to the left of it.
    assert got.boxes("a.jpg") == [
        ("outline", 10, 10, 20, 30), ("round", 40, 55, 20, 10), ("turned", 40, 20, 10, 20),
    ]  # fmt: skip
    assert got.codes == {"W_SEG_DROPPED", "W_UNKNOWN_KEY"}


RECORD = {"id": 1, "annotator": 1, "annotation_id": 7, "updated_at": "2024-01-01", "lead_time": 2.5}


def test_short_records_are_read(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    records = [
        {**RECORD, "image": "a.jpg", "choice": "cat"},
        {**RECORD, "image": "b.jpg", "choice": {"choices": ["cat", "dog"]}},
        {**RECORD, "image": "c.jpg", "label": [rectangle(*CAT)]},
    ]
    got = outcome(write(tmp_path / "min.json", records))
    assert got.labels() == {"a.jpg": ("cat",), "b.jpg": ("cat", "dog"), "c.jpg": ("cat",)}
    assert got.boxes("c.jpg") == [CAT]


def test_csv_is_read(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    rows = (
        '"annotation_id","annotator","choice","created_at","id","image","lead_time","updated_at"\n'
        '1,1,"cat","x",1,"/data/upload/1/0a1b2c3d-a.jpg",2.5,"2024-01-01"\n'
        '2,1,"{""choices"": [""cat"", ""dog""]}","x",2,"/data/upload/1/0a1b2c3d-b.jpg",2.5,"2024-01-01"\n'
        '3,1,"old","x",3,"c.jpg",2.5,"2024-01-01"\n4,2,"new","x",3,"c.jpg",2.5,"2024-02-01"\n'
    )
    got = outcome(write(tmp_path / "result.csv", rows))
    assert got.labels() == {"a.jpg": ("cat",), "b.jpg": ("cat", "dog"), "c.jpg": ("new",)}


def test_the_user_says_which_column_holds_labels_where_several_may(tmp_path):
    pictures(tmp_path, "a.jpg")
    records = [{**RECORD, "image": "a.jpg", "mood": "calm", "weather": "rain"}]
    path = write(tmp_path / "min.json", records)
    assert outcome(path).error == "E_ANN_SCHEMA"
    assert outcome(path, label_columns=("weather",)).labels() == {"a.jpg": ("rain",)}


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("b.jpg,2", "result.csv, line 3"),
        ("b.jpg,2,big, dog,1", "result.csv, line 3"),
        ('b.jpg,2,"dog,1', "result.csv, line 3"),
        ('b.jpg,2,"{""choices"": [""do",1', "b.jpg"),
    ],
    ids=["short", "long", "open quote", "half a JSON"],
)
def test_a_row_of_csv_that_is_broken_costs_itself_only(row, line, tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    rows = f"image,annotation_id,choice,annotator\na.jpg,1,cat,1\n{row}\nc.jpg,3,dog,1\n"
    got = outcome(write(tmp_path / "result.csv", rows))
    assert got.labels() == {"a.jpg": ("cat",), "c.jpg": ("dog",)}
    assert {name: refused.code for name, refused in got.refused.items()} == {line: "E_ANN_SCHEMA"}
