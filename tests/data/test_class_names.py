"""Class names: nothing invisible stays in them, nothing is merged silently, and look-alikes are told."""

from __future__ import annotations

import json
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winnow.data.class_names import ClassNameError, class_name, class_notes, encodable, file_name, similar_classes


@pytest.mark.parametrize(
    "name",
    ["cat", "ice cream", "Käse & Brot", "日本語", "עברית", "می‌خواهم", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "__proto__", "-1", "NaN", "="],
)
def test_an_honest_name_stays_as_it_is(name):
    assert class_name(name) == (name, False)


@pytest.mark.parametrize(("name", "clean"), [(" cat ", "cat"), ("cafe\u0301", "café"), ("cat\n", "cat")])
def test_trimming_and_composing_are_silent(name, clean):
    assert class_name(name) == (clean, False)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a\nb", "a b"),
        ("a\x1b[31mred", "a[31mred"),
        ("\u202egpj.exe", "gpj.exe"),
        ("\u200bzero", "zero"),
        ("\ufeffbom", "bom"),
        ("\U000e0001tag", "tag"),
        ("cat\U000e0063\U000e0061", "cat"),
        ("a\u2028b", "a b"),
        ("a\0b", "ab"),
        ("caf\udce9", "caf%E9"),
        ("\ud800", "%ED%A0%80"),
    ],
)
def test_what_cannot_be_seen_goes_and_is_told(name, clean):
    assert class_name(name) == (clean, True)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u200c", "\u200d\ufe0f", "\ufe0e"])
def test_a_name_of_nothing_one_can_see_is_no_name(name):
    with pytest.raises(ClassNameError, match="no visible character"):
        class_name(name)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\n\t", "\x00", "x" * 201])
def test_a_name_that_nobody_can_read_is_refused(name):
    with pytest.raises(ClassNameError, match="E_NAME"):
        class_name(name)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=30))
def test_any_text_becomes_a_name_that_everything_can_hold_or_is_refused(text):
    encodable(text).encode()
    path, is_changed = file_name(text)
    assert is_changed == (path != text)
    path.encode()
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in path)
    try:
        name, _ = class_name(text)
    except ClassNameError:
        return
    assert class_name(name) == (name, False), "clean names stay"
    assert json.loads(json.dumps(name, ensure_ascii=False).encode()) == name
    assert pa.array([name]).to_pylist() == [name]
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)


def test_file_names_are_escaped_so_that_they_stay_different():
    assert file_name("cat/a b.jpg") == ("cat/a b.jpg", False)
    odd = ["a\nb", "a\rb", "a\udce9", "a\u202eb", "a\u200bb"]
    assert [file_name(name)[0] for name in odd] == ["a%0Ab", "a%0Db", "a%E9", "a%E2%80%AEb", "a%E2%80%8Bb"]


@pytest.mark.parametrize(
    "group",
    [
        ("Cat", "cat"),
        ("ice cream", "ice  cream", "ice-cream", "Ice_Cream", "icecream"),
        ("ﬁsh", "fish"),
        ("cat", "сat"),  # the second begins with a Cyrillic letter
        ("İstanbul", "istanbul"),
        ("Straße", "STRASSE"),
        ("ｃａｔ", "cat"),
        ("cat", "c\u200cat"),
        ("１", "1"),
    ],
)
def test_names_that_are_written_almost_alike_are_found(group):
    assert similar_classes([*group, "something else"]) == [tuple(sorted(group))]


@pytest.mark.parametrize(
    "names", [("cat", "cats"), ("1", "-1"), ("1-2", "12"), ("0.1", "01"), ("a", "b"), ("-", "_"), ("Käse", "Kase")]
)
def test_names_that_mean_different_things_are_left_alone(names):
    assert similar_classes(names) == []


def test_the_note_on_similar_classes_gives_the_command_that_merges_them_into_the_larger():
    [note] = class_notes({"ice cream": 50, "Ice Cream": 7, "dog": 50}, "clouds")
    assert (note.code, note.is_warning) == ("W_CLASS_SIMILAR", True)
    assert note.text.endswith("winnow merge clouds 'Ice Cream' --into 'ice cream'")


def test_a_class_with_hardly_a_picture_is_told():
    [note] = class_notes({"cat": 50, "dog": 1}, "clouds")
    assert note.code == "W_FEW_IMAGES"
    assert "'dog': 1" in note.text


def test_ordinary_classes_are_no_news():
    assert class_notes({"cat": 50, "dog": 50}, "clouds") == []
