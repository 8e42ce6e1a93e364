"""Which class and split a path says."""

from __future__ import annotations

import pytest

from winnow.data.sources.layout import place


def placed(*paths: str) -> list[tuple[str, str | None, str | None]]:
    """(path, label, split) of all that is not litter."""
    return [(paths[p.index], p.label, p.split) for p in place(paths)]


def test_the_folder_is_the_class():
    assert placed("cat/1.jpg", "dog/1.jpg") == [("cat/1.jpg", "cat", None), ("dog/1.jpg", "dog", None)]


def test_folders_inside_a_class_are_walked():
    assert placed("cat/2024/may/1.jpg", "cat/2.jpg", "dog/1.jpg")[0] == ("cat/2024/may/1.jpg", "cat", None)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Val", "validation"),
        ("VALID", "validation"),
        ("validation", "validation"),
        ("Test", "test"),
    ],
)
def test_split_folders_on_top_are_understood(name, split):
    found = placed("train/cat/1.jpg", "train/dog/1.jpg", f"{name}/cat/2.jpg")
    assert found[-1] == (f"{name}/cat/2.jpg", "cat", split)


def test_one_folder_around_everything_is_looked_through():
    assert placed("photos/cat/1.jpg", "photos/dog/1.jpg")[0][1] == "cat"
    assert placed("a/b/train/cat/1.jpg", "a/b/test/cat/1.jpg", "README.md")[1][1:] == ("cat", "test")


def test_a_single_class_is_not_taken_for_a_wrapper():
    assert placed("cat/2023/1.jpg", "cat/2024/1.jpg", "cat/1.jpg")[0][1] == "cat"


def test_trains_can_be_a_class():
    assert {label for _, label, _ in placed("train/1.jpg", "bus/1.jpg", "car/1.jpg")} == {"train", "bus", "car"}
    assert placed("train/old/1.jpg", "bus/1.jpg")[0][1:] == ("train", None)


def test_what_lies_beside_the_classes_has_no_label():
    assert placed("cat/1.jpg", "dog/1.jpg", "3.jpg", "README.md")[2:] == [
        ("3.jpg", None, None),
        ("README.md", None, None),
    ]
    assert placed("train/cat/1.jpg", "test/cat/2.jpg", "test/3.jpg", "extra/4.jpg")[2:] == [
        ("test/3.jpg", None, None),
        ("extra/4.jpg", None, None),
    ]


def test_a_picture_at_the_top_is_no_reason_to_take_the_wrapper_for_a_class():
    assert placed("photos/cat/1.jpg", "photos/dog/1.jpg", "preview.png")[0][1] == "cat"


def test_what_is_no_picture_decides_nothing_about_the_structure():
    tools = (".config/tool/settings", "docs/en/readme.md", "notes/todo")
    assert placed("photos/train/cat/1.jpg", "photos/test/cat/2.jpg", *tools)[:2] == [
        ("photos/train/cat/1.jpg", "cat", "train"),
        ("photos/test/cat/2.jpg", "cat", "test"),
    ]


def test_pictures_without_a_suffix_have_classes_too():
    assert placed("photos/cat/0001", "photos/dog/0001")[1][1] == "dog"


def test_class_names_are_composed_and_trimmed():
    decomposed = "Ame\u0301lie "
    assert placed(f"{decomposed}/1.jpg", "dog/1.jpg")[0][1] == "Am\u00e9lie"
