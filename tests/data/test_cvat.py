"""CVAT for images 1.1: tags, boxes and other shapes; subsets are splits."""

from __future__ import annotations

import pytest

from .annotations import outcome, pictures, write


def _file(root, *images):
    text = f"<annotations><version>1.1</version><meta/>{''.join(images)}</annotations>"
    return write(root / "annotations.xml", text)


def _image(name, inside="", subset=""):
    return f'<image id="0" name="{name}" subset="{subset}" width="100" height="100">{inside}</image>'


def test_tags_and_boxes_are_labels(tmp_path):
    pictures(tmp_path, "a.jpg", "b.jpg", width=100, height=100)
    inside = '<tag label="outdoor"/><box label="cat" xtl="10" ytl="20" xbr="30" ybr="50.5"/>'
    got = outcome(_file(tmp_path, _image("a.jpg", inside), _image("b.jpg")))
    assert got.labels() == {"a.jpg": ("outdoor", "cat"), "b.jpg": ()}
    assert (got.boxes("a.jpg"), got.codes) == ([("cat", 10, 20, 20, 30.5)], set())


def test_subsets_are_splits(tmp_path):
    pictures(tmp_path, "images/Train/a.jpg", "images/Validation/a.jpg", width=100, height=100)
    images = [_image(f"{part}/a.jpg", '<tag label="x"/>', part) for part in ("Train", "Validation")]
    _file(tmp_path, *images)
    assert list(outcome(tmp_path).splits().values()) == ["train", "validation"]


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<polygon label="x" points="10.5,20;30,20;20,60"/>', (10.5, 20, 19.5, 40)),
        ('<polyline label="x" points="10,20;30,25"/>', (10, 20, 20, 5)),
        ('<ellipse label="x" cx="50" cy="50" rx="20" ry="10"/>', (30, 40, 40, 20)),
        ('<ellipse label="x" cx="50" cy="50" rx="20" ry="10" rotation="90"/>', (40, 30, 20, 40)),
        ('<mask label="x" rle="1,2" left="5" top="6" width="7" height="8"/>', (5, 6, 7, 8)),
        ('<box label="x" xtl="40" ytl="45" xbr="60" ybr="55" rotation="90"/>', (45, 40, 10, 20)),
        ('<skeleton label="x"><points label="1" points="10,20"/><points label="2" points="30,50"/></skeleton>',
         (10, 20, 20, 30)),
        ('<cuboid label="x" xtl1="10" ytl1="10" xbl1="10" ybl1="30" xtr1="40" ytr1="10" xbr1="40" ybr1="30" '
         'xtl2="20" ytl2="5" xbl2="20" ybl2="25" xtr2="50" ytr2="5" xbr2="50" ybr2="25"/>', (10, 5, 40, 25)),
    ],
)  # fmt: skip
def test_other_shapes_become_the_box_around_them(shape, box, tmp_path):
    pictures(tmp_path, "a.jpg", width=100, height=100)
    got = outcome(_file(tmp_path, _image("a.jpg", shape)))
    assert got.boxes("a.jpg") == [("x", *box)]
    assert got.codes == {"W_SEG_DROPPED"}


@pytest.mark.parametrize("shape", ["polygon", "mask", "ellipse", "box", "cuboid", "strange"])
def test_a_shape_without_a_place_is_dropped_and_its_label_kept(shape, tmp_path):
    pictures(tmp_path, "a.jpg", width=100, height=100)
    got = outcome(_file(tmp_path, _image("a.jpg", f'<{shape} label="x"/>')))
    assert (got.labels(), got.boxes("a.jpg")) == ({"a.jpg": ("x",)}, [])
    assert "W_BOX_DROPPED" in got.codes


def test_a_video_is_refused_with_advice(tmp_path):
    assert outcome(_file(tmp_path, '<track id="0" label="car"><box frame="0"/></track>')).error == "E_ANN_SCHEMA"


def test_a_damaged_file_is_refused(tmp_path):
    pictures(tmp_path, "a.jpg")
    path = _file(tmp_path, _image("a.jpg"))
    path.write_bytes(path.read_bytes()[:-20])
    assert outcome(path).error == "E_ANN_XML"
