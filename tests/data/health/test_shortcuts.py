"""Nuisances as numbers, and what is said of those that give a class away."""

from __future__ import annotations

import numpy as np

from winnow.data.health.look import COLUMNS, Looks
from winnow.data.health.nuisances import nuisances, one_hot
from winnow.data.health.shortcuts import find_shortcuts
from winnow.data.health.subject import Shortcut

from .made import example, only, subject

TWO = [example("a", "cat"), example("b", "dog")]


def names(examples, rows=None) -> set[str]:
    looks = Looks(np.zeros((len(examples), len(COLUMNS))) if rows is None else rows)
    return {nuisance.name for nuisance in nuisances(examples, looks)}


def test_a_strong_shortcut_is_told_with_its_interval():
    given = subject(TWO, shortcuts=[Shortcut("the file type", "cat", (0.98, 0.94, 1.0), 0.65, (0,), (0.99,))])
    finding = only(find_shortcuts(given))
    assert finding.severity == "serious"
    assert finding.sentence.startswith("The file type alone tells 'cat' from 'dog' 98 % of the time")
    assert "94 % to 100 %" in finding.sentence
    assert finding.interval == (0.98, 0.94, 1.0)
    assert finding.examples[0].evidence == 0.99


def test_a_weak_one_is_not():
    assert not list(find_shortcuts(subject(TWO, shortcuts=[Shortcut("colour", "cat", (0.9, 0.79, 1.0), 0.8)])))


def test_of_many_classes_the_clearest_is_named_and_the_others_counted():
    three = [*TWO, example("c", "newt")]
    found = [
        Shortcut("the border", label, (low + 0.02, low, 1.0), 0.8) for label, low in (("cat", 0.85), ("dog", 0.95))
    ]
    finding = only(find_shortcuts(subject(three, shortcuts=found)))
    assert "tells 'dog' from the other classes" in finding.sentence
    assert "1 more" in finding.sentence


def test_where_a_picture_may_have_several_classes_it_is_told_from_those_without():
    several = [*TWO, example("c", labels=("cat", "dog"))]
    finding = only(find_shortcuts(subject(several, shortcuts=[Shortcut("colour", "cat", (0.98, 0.94, 1.0), 0.8)])))
    assert "tells 'cat' from pictures without it" in finding.sentence


def test_what_is_the_same_everywhere_is_no_nuisance():
    assert names(TWO) == set()


def test_what_differs_is():
    assert names([example("a", width=100), example("b")]) == {"the size", "the aspect ratio"}
    assert "the file type" in names([example("a", format="PNG"), example("b")])
    assert "the time it was taken" in names([example("a", taken="2026-01-01T10:00:00"), example("b")])


def test_looks_are_told_by_their_names():
    for column, name in {
        "brightness_p99": "brightness",
        "saturation": "colour",
        "border_red": "the border",
        "jpeg_quality": "compression",
        "camera": "the camera",
    }.items():
        rows = np.zeros((2, len(COLUMNS)))
        rows[0, COLUMNS.index(column)] = 0.5
        assert names(TWO, rows) == {name}


def test_a_column_of_the_table_is_a_nuisance_unless_it_numbers_the_rows_or_repeats_the_label():
    rows = [
        example(
            f"{i}",
            "cat" if i < 10 else "dog",
            metadata={
                "hospital": "ABC"[i % 3],
                "age": str(i % 7),
                "row": str(i),
                "name": f"picture {i}",
                "label_id": str(i // 10),
                "pet": "cat" if i < 10 else "dog",
                "note": "x" if i == 0 else "",
            },
        )
        for i in range(20)
    ]
    assert names(rows) == {"the column 'hospital'", "the column 'age'"}


def test_numbers_beyond_all_measure_are_kept_where_a_forest_can_hold_them():
    rows = [example(f"{i}", metadata={"amount": ["1.5", "1e300", "-inf", "nan"][i % 4]}) for i in range(20)]
    (found,) = nuisances(rows, subject(rows).looks)
    assert np.isfinite(found.columns.astype(np.float32)).all()


def test_categories_become_a_column_each():
    np.testing.assert_array_equal(one_hot(["b", "a", "b"]), [[1, 0], [0, 1], [1, 0]])
