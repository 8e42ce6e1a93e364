"""Which names a dataset or a model may have, and which one a folder suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.errors import UserError
from winnow.workspace.names import name_from_source, same_name_key, valid_name


@pytest.mark.parametrize("name", ["clouds", "clouds-2026", "v1.2_final", "7", "Wolken_über_Köln", "雲", "_draft"])
def test_letters_digits_dots_dashes_and_underscores_of_any_script_are_kept(name: str):
    assert valid_name(name) == name


def test_spaces_become_dashes():
    assert valid_name("  my  clouds 2 ") == "my-clouds-2"


def test_the_two_spellings_of_an_umlaut_are_one_name():
    assert valid_name("Ko\u0308ln") == valid_name("K\u00f6ln")


def test_upper_and_lower_case_are_the_same_name():
    assert same_name_key("Clouds") == same_name_key("clouds")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("..", "begins or ends"),
        (".hidden", "begins or ends"),
        ("--help", "begins or ends"),
        ("clouds.", "begins or ends"),
        ("a/b", "'/'"),
        ("a\\b", r"'\\'"),
        ("../../etc/passwd", "'/'"),
        ("a\x00b", "x00"),
        ("a\nb", "x0a"),
        ("\x1b[31mred", "x1b"),
        ("clouds@2", "'@'"),
        ("a:b", "':'"),
        ("\u202egnp", "x202e"),
        ("con", "Windows"),
        ("LPT1.backup", "Windows"),
        ("x" * 101, "too long"),
        ("雲" * 90, "too long"),
    ],
)
def test_a_name_that_is_no_folder_everywhere_is_refused_with_the_reason(name: str, says: str):
    with pytest.raises(UserError, match=says) as caught:
        valid_name(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("photos", "photos"),
        ("/home/ada/flowers/", "flowers"),
        ("/home/ada/My clouds (2026).zip", "My-clouds-2026"),
        ("table.csv", "table"),
        ("weights.tar.gz", "weights"),
        ("photos.tar.zst", "photos"),
        ("birds/labels.xlsx", "labels"),
        ("flowers/train", "flowers"),
        ("C:\\pictures\\cats & dogs", "cats-dogs"),
        ("../..", "dataset"),
        ("/", "dataset"),
        ("data", "data"),
        ("nul", "nul-set"),
    ],
)
def test_a_source_suggests_its_own_name(source: str, name: str):
    assert name_from_source(source) == name


def test_a_taken_name_gets_the_next_number():
    assert name_from_source("clouds", taken=["Clouds", "clouds-2"]) == "clouds-3"


@given(st.text())
def test_whatever_the_source_the_suggested_name_is_valid(source: str):
    name = name_from_source(source, taken=["dataset"])
    assert valid_name(name) == name
