"""Pascal VOC: pictures by name, splits by ImageSets, coordinates from 1."""

from __future__ import annotations

import pytest

from .annotation_samples import CAT, DOG, voc
from .annotations import outcome, pictures, write


def _kit(root, *names):
    """The devkit's folders."""
    for name in names:
        pictures(root, f"VOC2012/JPEGImages/{name}.jpg")
        write(root / f"VOC2012/Annotations/{name}.xml", voc(f"{name}.jpg", *CAT))
    return root


def test_the_devkit_is_read_with_its_splits(tmp_path):
    _kit(tmp_path, "1", "2", "3", "4")
    for split, names in {"train": "1\n2\n", "val": "3\n", "trainval": "1\n2\n3\n", "cat_train": "4 -1\n"}.items():
        write(tmp_path / f"VOC2012/ImageSets/Main/{split}.txt", names)
    got = outcome(tmp_path)
    assert list(got.splits().values()) == ["train", "train", "validation", None]
    assert got.boxes("VOC2012/JPEGImages/1.jpg") == [CAT]


def test_splits_come_from_folders_where_there_are_no_lists(tmp_path):
    for split in ("train", "val"):
        pictures(tmp_path, f"{split}/1.jpg")
        write(tmp_path / split / "1.xml", voc("1.jpg", *CAT))
    assert outcome(tmp_path).splits() == {"train/1.jpg": "train", "val/1.jpg": "validation"}


@pytest.mark.parametrize("named", ["a.png", "a", "", "old/name.jpg", "renamed.jpg"])
def test_a_name_without_its_right_ending_is_found_by_the_xml_files_name(named, tmp_path):
    pictures(tmp_path, "a.jpg", "other.jpg")
    write(tmp_path / "a.xml", voc(named, *CAT))
    write(tmp_path / "other.xml", voc("other.jpg", *DOG))
    assert outcome(tmp_path).labels() == {"a.jpg": ("cat",), "other.jpg": ("dog",)}


def test_one_damaged_file_costs_one_line(tmp_path):
    _kit(tmp_path, "1", "2")
    write(tmp_path / "VOC2012/Annotations/1.xml", "<annotation><filename>1.jpg")
    got = outcome(tmp_path)
    assert list(got.found) == ["VOC2012/JPEGImages/2.jpg"]
    assert {line.code for line in got.refused.values()} == {"E_ANN_XML"}


@pytest.mark.parametrize("before", ["<!-- <made> by us -->", "<?tool <made>?>", "<!--\n<annotations>\n-->"])
def test_what_stands_in_a_comment_is_not_the_root(before, tmp_path):
    _kit(tmp_path, "1")
    path = tmp_path / "VOC2012/Annotations/1.xml"
    write(path, '<?xml version="1.0"?>' + before + path.read_text().split("?>")[-1])
    assert list(outcome(tmp_path).found) == ["VOC2012/JPEGImages/1.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>',
        '<!DOCTYPE a SYSTEM "http://host/a.dtd"><annotation/>',
        "<annotation>" + "<part>" * 100 + "</part>" * 100 + "</annotation>",
        '<?xml version="1.0" encoding="x-unknown"?><annotation/>',
        "<annotation>&undefined;</annotation>",
        "<annotation></annotation><annotation/>",
    ],
)
def test_xml_that_tries_something_is_refused(text, tmp_path):
    assert outcome(write(tmp_path / "a.xml", text)).error == "E_ANN_XML"


def test_parts_of_an_object_are_no_objects(tmp_path):
    pictures(tmp_path, "a.jpg")
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></part>"
    write(tmp_path / "a.xml", voc("a.jpg", *CAT).replace("</object>", part + "</object>"))
    got = outcome(tmp_path)
    assert (got.labels(), got.boxes("a.jpg")) == ({"a.jpg": ("cat",)}, [CAT])


def test_two_files_about_one_picture_are_not_mixed(tmp_path):
    pictures(tmp_path, "a.jpg")
    write(tmp_path / "1.xml", voc("a.jpg", *CAT))
    write(tmp_path / "2.xml", voc("a.jpg", *DOG))
    got = outcome(tmp_path)
    assert got.labels() == {"a.jpg": ("cat",)}
    assert got.codes == {"W_DUP", "E_ANN_REF"}
