"""Azure Custom Vision: the saved answers of its training API, beside pictures called by their ids."""

from __future__ import annotations

from .annotations import outcome, pictures, write

TAGS = [{"id": "t1", "name": "cat", "type": "Regular"}, {"id": "t2", "name": "nothing", "type": "Negative"}]


def _image(number, *tags, **more):
    address = f"https://x.blob.core.windows.net/m-9/i-{number}/o-{number}?sv=1"
    said = [{"tagId": {"cat": "t1", "nothing": "t2"}.get(tag, tag), "tagName": tag} for tag in tags]
    return {"id": number, "width": 96, "height": 72, "originalImageUri": address, "tags": said, **more}


def test_tags_are_labels_and_negative_ones_are_none(tmp_path):
    pictures(tmp_path, "11.jpg", "12.jpg", "13.jpg")
    images = [_image("11", "cat", "dog"), _image("12", "nothing"), _image("13")]
    got = outcome(write(tmp_path / "project.json", {"tags": TAGS, "images": images}))
    assert got.labels() == {"11.jpg": ("cat", "dog"), "12.jpg": (), "13.jpg": None}


def test_regions_are_shares_of_the_picture(tmp_path):
    pictures(tmp_path, "11.jpg", width=48, height=36)
    region = {"tagName": "cat", "tagId": "t1", "left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
    got = outcome(write(tmp_path / "images.json", [_image("11", "cat", regions=[region])]))
    assert got.boxes("11.jpg") == [("cat", 12, 18, 24, 9)]
    assert got.codes == set()


def test_pictures_are_found_by_name_id_or_the_end_of_their_address(tmp_path):
    pictures(tmp_path, "x/named.jpg", "12.png", "o-13")
    images = [_image("11", "cat", name="named.jpg"), _image("12", "cat"), _image("13", "cat"), _image("14", "cat")]
    got = outcome(write(tmp_path / "images.json", images))
    assert list(got.found) == ["x/named.jpg", "12.png", "o-13"]
    assert [line.code for line in got.refused.values()] == ["E_URL_BLOCKED"]


def test_its_folders_of_tags_are_class_folders(tmp_path):
    pictures(tmp_path, "cat/1.jpg", "dog/2.jpg")
    assert outcome(tmp_path).labels() == {"cat/1.jpg": ("cat",), "dog/2.jpg": ("dog",)}
