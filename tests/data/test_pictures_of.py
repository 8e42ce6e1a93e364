"""Which file a name in an annotation means."""

from __future__ import annotations

import time

import pytest

from winnow.data.sources.pictures_of import Pictures, split_of_folders, split_word
from winnow.data.sources.source import Refused


class Listed:
    """A tree of names alone."""

    name = "listed"
    remarks = ()

    def __init__(self, *paths):
        self.paths = sorted(paths)

    def file(self, path):
        return None


def _found(name, *paths, **how):
    answer = Pictures(Listed(*paths)).find(name, **how)
    return answer.code if isinstance(answer, Refused) else answer


@pytest.mark.parametrize(
    ("name", "near", "path"),
    [
        ("a.jpg", "", "a.jpg"),
        ("./a.jpg", "", "a.jpg"),
        ("a.jpg", "sub/ann.json", "sub/a.jpg"),
        ("../images/b.jpg", "sub/ann.json", "images/b.jpg"),
        ("b.jpg", "sub/ann.json", "images/b.jpg"),
        ("IMAGES\\B.JPG", "", "images/b.jpg"),
        ("gs://bucket/any/images/b.jpg", "", "images/b.jpg"),
        ("other/b.jpg", "", "E_MISSING"),
        ("../b.jpg", "", "E_ANN_PATH"),
        ("/b.jpg", "", "E_ANN_PATH"),
        ("http://host/c.jpg", "", "E_URL_BLOCKED"),
        ("http://[broken", "", "E_URL_BLOCKED"),
        ("", "", "E_ANN_PATH"),
        (None, "", "E_ANN_PATH"),
        ("a\0.jpg", "", "E_ANN_PATH"),
        ("\ud800.jpg", "", "E_ANN_PATH"),
        ("x" * 5000, "", "E_ANN_PATH"),
    ],
)
def test_a_name_finds_one_file_or_says_why_not(name, near, path):
    assert _found(name, "a.jpg", "sub/a.jpg", "images/b.jpg", near=near) == path


def test_accents_are_found_however_they_are_written():
    assert _found("Cafe\u0301.jpg", "in/Caf\u00e9.jpg") == "in/Caf\u00e9.jpg"


def test_a_picture_whose_name_only_ends_alike_is_another():
    assert _found("1.jpg", "in/11.jpg") == "E_MISSING"


def test_the_split_and_the_usual_folder_decide_between_equal_names():
    assert _found("1.jpg", "train/1.jpg", "val/1.jpg", split="validation") == "val/1.jpg"
    assert _found("1.jpg", "images/1.jpg", "thumbs/1.jpg") == "images/1.jpg"
    assert _found("1.jpg", "x/1.jpg", "y/1.jpg") == "E_ANN_REF"


def test_a_hundred_thousand_files_of_one_name_are_no_trap():
    paths = [f"{i}/img.jpg" for i in range(100_000)]
    pictures = Pictures(Listed(*paths))
    start = time.process_time()
    assert all(isinstance(pictures.find(f"gone/{path}"), Refused) for path in paths[:20_000])
    assert isinstance(pictures.find("img.jpg"), Refused)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("instances_train2017.json", "train"),
        ("val.json", "validation"),
        ("my-test-set.json", "test"),
        ("trains.json", None),
        ("latest.json", None),
    ],
)
def test_a_split_is_a_word_of_the_name(name, split):
    assert split_word(name) == split


def test_the_nearest_folder_names_the_split():
    assert split_of_folders("train/x/val/a.jpg") == "validation"
    assert split_of_folders("val.jpg") is None
