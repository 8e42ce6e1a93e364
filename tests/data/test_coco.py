"""COCO: what becomes of ids, categories, splits, sizes and everything that Winnow does not keep."""

from __future__ import annotations

import io
import itertools

import pytest
from PIL import Image

from .annotations import HEIGHT, WIDTH, coco, outcome, pictures, write

IDS = itertools.count(1)
A = {"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}


def _cat(
    image: object = 1, box: tuple[float, ...] = (10, 10, 20, 20), category: object = 1, **more: object
) -> dict[str, object]:
    return {"id": next(IDS), "image_id": image, "category_id": category, "bbox": list(box), **more}


def _import(tmp_path, document):
    return outcome(write(pictures(tmp_path, "a.jpg", "b.jpg") / "ann.json", document))


def test_labels_are_the_pictures_categories_in_the_order_of_the_file(tmp_path):
    said = [_cat(category=2), _cat(category=1, box=(1, 2, 3, 4)), _cat(category=2, box=(5, 6, 7, 8))]
    got = _import(tmp_path, coco(annotations=said))
    assert got.labels() == {"a.jpg": ("cat", "dog"), "b.jpg": ()}
    assert [box[0] for box in got.boxes("a.jpg")] == ["dog", "cat", "dog"]


def test_crowds_stay_crowds(tmp_path):
    got = _import(tmp_path, coco(annotations=[_cat(iscrowd=1), _cat(box=(1, 2, 3, 4), iscrowd=0)]))
    assert [box.is_crowd for box in got.found["a.jpg"].boxes] == [True, False]


def test_without_any_annotation_pictures_are_unlabelled(tmp_path):
    got = _import(tmp_path, coco(annotations=[]))
    assert got.labels() == {"a.jpg": None, "b.jpg": None}
    assert got.codes == {"W_NO_ANNOTATIONS"}


def test_a_thing_of_an_unknown_class_is_not_no_class(tmp_path):
    got = _import(tmp_path, coco(annotations=[_cat(category=99), _cat(image=7)]))
    assert got.labels() == {"a.jpg": None, "b.jpg": ()}
    assert got.codes == {"W_ANN_DANGLING"}


def test_annotations_that_share_an_id_are_all_kept(tmp_path):
    got = _import(tmp_path, coco(annotations=[_cat(id=5), _cat(id=5, category=2)]))
    assert (got.labels()["a.jpg"], got.codes) == (("cat", "dog"), {"W_DUP"})


def test_text_and_number_ids_find_each_other(tmp_path):
    got = _import(tmp_path, coco(annotations=[_cat(image="1", category="2")]))
    assert got.labels()["a.jpg"] == ("dog",)
    assert got.codes == {"W_TYPE_COERCED"}


def test_splits_come_from_the_names_of_several_files(tmp_path):
    pictures(tmp_path, "train2017/a.jpg", "val2017/a.jpg")
    for split in ("train", "val"):
        write(tmp_path / "annotations" / f"instances_{split}2017.json", coco([A], [_cat()]))
    assert outcome(tmp_path).splits() == {"train2017/a.jpg": "train", "val2017/a.jpg": "validation"}


def test_splits_come_from_the_folders_of_several_files(tmp_path):
    for split in ("train", "valid", "test"):
        pictures(tmp_path, f"{split}/a.jpg")
        write(tmp_path / split / "_annotations.coco.json", coco([A], [_cat()]))
    splits = outcome(tmp_path).splits()
    assert splits == {"test/a.jpg": "test", "train/a.jpg": "train", "valid/a.jpg": "validation"}


def test_the_name_of_a_lone_file_is_no_split(tmp_path):
    pictures(tmp_path, "val2017/a.jpg")
    write(tmp_path / "instances_val2017.json", coco([A], [_cat()]))
    assert outcome(tmp_path).splits() == {"val2017/a.jpg": None}


def test_keypoints_and_captions_of_the_same_pictures_stand_back(tmp_path):
    pictures(tmp_path, "train2017/a.jpg")
    write(tmp_path / "instances_train2017.json", coco([A], [_cat()]))
    write(tmp_path / "person_keypoints_train2017.json", coco([A], [_cat(keypoints=[1, 2, 2])]))
    write(tmp_path / "captions_train2017.json", {"images": [A], "annotations": [{"image_id": 1, "caption": "A cat"}]})
    got = outcome(tmp_path)
    assert (got.labels(), got.codes) == ({"train2017/a.jpg": ("cat",)}, set())


def test_captions_alone_say_that_they_are_no_classes(tmp_path):
    got = _import(tmp_path, {"images": [A], "annotations": [{"id": 1, "image_id": 1, "caption": "A cat"}]})
    assert got.error == "E_ANN_SCHEMA"


def test_what_is_not_kept_is_named_once(tmp_path):
    said = [_cat(segmentation=[[1, 2, 3, 4, 5, 6]], score=0.5), _cat(box=(1, 2, 3, 4), attributes={"occluded": True})]
    got = _import(tmp_path, coco(annotations=said))
    notes = {note.code: note.text for note in got.notes}
    assert notes.keys() == {"W_SEG_DROPPED", "W_UNKNOWN_KEY"}
    assert "score" in notes["W_UNKNOWN_KEY"]
    assert "attributes" in notes["W_UNKNOWN_KEY"]


def test_when_a_picture_was_taken_is_kept(tmp_path):
    images = [{**A, "date_captured": "2013-11-14 17:02:52"}, {"id": 2, "file_name": "b.jpg", "date_captured": 0}]
    found = _import(tmp_path, coco(images)).found
    assert [found[name].taken for name in ("a.jpg", "b.jpg")] == ["2013-11-14T17:02:52", None]


def test_addresses_are_not_opened(tmp_path):
    images = [{"id": 1, "file_name": "http://host/x/a.jpg"}, {"id": 2, "file_name": "https://host/gone.jpg"}]
    got = _import(tmp_path, coco(images))
    assert list(got.found) == ["a.jpg"]
    assert [line.code for line in got.refused.values()] == ["E_URL_BLOCKED"]


def test_boxes_on_a_picture_that_lies_on_its_side_are_turned_with_it(tmp_path):
    """EXIF orientation 6: the camera was turned; what is stored at the left bottom is seen at the left top."""
    stored = Image.new("RGB", (WIDTH, HEIGHT))
    stored.paste((255, 255, 255), (0, HEIGHT - 20, 10, HEIGHT))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", exif=exif)
    write(tmp_path / "a.jpg", buffer.getvalue())
    box = (0, HEIGHT - 20, 10, 20)
    got = outcome(write(tmp_path / "stored.json", coco([A], [_cat(box=box)])))
    assert (got.boxes("a.jpg"), got.codes) == ([("cat", 0, 0, 20, 10)], set())
    upright = {**A, "width": HEIGHT, "height": WIDTH}
    got = outcome(write(tmp_path / "upright.json", coco([upright], [_cat(box=(0, 0, 20, 10))])))
    assert (got.boxes("a.jpg"), got.codes) == ([("cat", 0, 0, 20, 10)], set())


def test_a_size_that_is_not_the_files_is_warned_about(tmp_path):
    got = _import(tmp_path, coco([{**A, "width": 640, "height": 480}]))
    assert got.found["a.jpg"].warnings == ("W_SIZE_MISMATCH",)


@pytest.mark.parametrize(
    "change",
    [
        {"images": 5},
        {"images": [1]},
        {"annotations": {}},
        {"annotations": ["x"]},
        {"categories": [None]},
        {"images": [{"file_name": "a.jpg"}]},
        {"images": [{"id": [], "file_name": "a.jpg"}]},
        {"annotations": [{"image_id": 1}]},
    ],
)
def test_lists_of_anything_else_are_refused_with_a_sentence(change, tmp_path):
    assert _import(tmp_path, {**coco(), **change}).error == "E_ANN_SCHEMA"


def test_two_files_of_one_name_are_told_apart_by_folder_or_refused(tmp_path):
    pictures(tmp_path, "cats/a.jpg", "dogs/a.jpg")
    images = [{"id": 1, "file_name": "dogs/a.jpg"}, {"id": 2, "file_name": "a.jpg"}]
    got = outcome(write(tmp_path / "ann.json", coco(images)))
    assert list(got.found) == ["dogs/a.jpg"]
    assert got.refused["a.jpg"].code == "E_ANN_REF"


def test_pictures_that_no_annotation_names_are_mentioned(tmp_path):
    pictures(tmp_path, "images/a.jpg", "images/b.jpg", "images/c.jpg")
    write(tmp_path / "annotations" / "all.json", coco())
    got = outcome(tmp_path)
    assert len(got.found) == 2
    assert [note.text for note in got.notes] == ["1 pictures here are named in no annotation: they were left out."]
