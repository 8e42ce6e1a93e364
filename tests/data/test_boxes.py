"""Boxes are checked against the real picture: inside it, of some size, each once; and every change has its code."""

from __future__ import annotations

import math

import pytest

from winnow.data.sources.boxes import Marks, number, rotated_corners, stated_size
from winnow.data.sources.pictures_of import Size

REAL = Size(100, 50, 1)


def _checked(*box, real=REAL, **of_marks):
    marks = Marks(**of_marks)
    marks.box("x", box)
    found = [(b.x, b.y, b.width, b.height) for b in marks.boxes(real)]
    return (found[0] if found else None), list(marks.codes)


@pytest.mark.parametrize(
    ("box", "kept", "codes"),
    [
        ((10, 10, 20, 20), (10, 10, 20, 20), []),
        ((0, 0, 100, 50), (0, 0, 100, 50), []),
        ((-1, -1, 31, 31), (0, 0, 30, 30), []),
        ((90, 40, 30, 30), (90, 40, 10, 10), ["W_BOX_CLIPPED"]),
        ((-20, 10, 30, 10), (0, 10, 10, 10), ["W_BOX_CLIPPED"]),
        ((200, 10, 5, 5), None, ["W_BOX_DROPPED"]),
        ((100, 10, 5, 5), None, ["W_BOX_DROPPED"]),
        ((10, 10, 0, 5), None, ["W_BOX_DROPPED"]),
        ((10, 10, -5, 5), None, ["W_BOX_DROPPED"]),
        ((10, 10, 5), None, ["W_BOX_DROPPED"]),
        ((10, None, 5, 5), None, ["W_BOX_DROPPED"]),
        ((10, math.nan, 5, 5), None, ["W_BOX_DROPPED"]),
        ((10, math.inf, 5, 5), None, ["W_BOX_DROPPED"]),
        ((1e308, 1, 1e308, 5), None, ["W_BOX_DROPPED"]),
        ((True, 1, 5, 5), None, ["W_BOX_DROPPED"]),
        (("10", "10", "5", " 5 "), (10, 10, 5, 5), ["W_TYPE_COERCED"]),
        ((0.1, 0.1, 0.2, 0.2), (0.1, 0.1, 0.2, 0.2), ["W_BOX_SUSPICIOUS"]),
    ],
)
def test_boxes_in_pixels(box, kept, codes):
    assert _checked(*box) == (kept, codes)


def test_shares_and_percents_are_of_the_real_picture():
    assert _checked(0.1, 0.2, 0.3, 0.4, whole=1) == ((10, 10, 30, 20), [])
    assert _checked(10, 20, 30, 40, whole=100) == ((10, 10, 30, 20), [])


def test_the_same_box_is_kept_once_but_not_of_another_class():
    marks = Marks()
    for label in ("x", "x", "y"):
        marks.box(label, (1, 2, 3, 4))
    assert [box.label for box in marks.boxes(REAL)] == ["x", "y"]
    assert list(marks.codes) == ["W_BOX_DUP"]


def test_where_the_picture_cannot_be_read_the_stated_size_is_believed():
    assert _checked(90, 40, 30, 30, real=None, stated=(100, 50)) == ((90, 40, 10, 10), ["W_BOX_CLIPPED"])
    assert _checked(90, 40, 30, 30, real=None) == ((90, 40, 30, 30), [])


# The picture is stored 50 x 100 and stands upright 100 x 50. Corner of the stored picture -> corner of the upright one:
# EXIF 2.32, section 4.6.4 (where row 0 and column 0 of what is stored are seen).
@pytest.mark.parametrize(("turned", "kept"), [(5, (0, 0)), (6, (80, 0)), (7, (80, 40)), (8, (0, 40))])
def test_boxes_of_a_stored_size_are_turned_upright(turned, kept):
    box, codes = _checked(0, 0, 10, 20, real=Size(100, 50, turned), stated=(50, 100))
    assert (box, codes) == ((*kept, 20, 10), [])


@pytest.mark.parametrize("value", [None, True, [], {}, "x", "", "9" * 50, 10**400, math.nan, math.inf, "nan", "inf"])
def test_what_is_no_finite_number_is_none(value):
    assert number(value) is None


def test_a_stated_size_of_nothing_is_not_stated():
    assert stated_size(0, 0) is None
    assert stated_size("640", 480) == (640, 480)


def test_a_turn_by_a_right_angle_swaps_the_sides():
    corners = rotated_corners(0, 0, 20, 10, 90, about=(0, 0))
    assert [(round(x, 9), round(y, 9)) for x, y in corners] == [(0, 0), (0, 20), (-10, 20), (-10, 0)]
