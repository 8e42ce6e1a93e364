"""Which pictures to ask about: the doubtful, the typical, and such as differ from each other."""

from __future__ import annotations

import numpy as np
import pytest

from winnow.tasks.classify.asking import Guesses, learn, most_useful, spread, typicality, uncertainty, unit_rows

# Ten features in two heaps of 20 pictures each.
CENTRES = np.eye(2, 10, dtype=np.float32) * 10
ROWS = (np.repeat(CENTRES, 20, axis=0) + np.random.default_rng(0).normal(0, 1, (40, 10))).astype(np.float32)
TRUTH = ["sky"] * 20 + ["sea"] * 20


def labelled(*places: int) -> list[tuple[str, ...] | None]:
    return [(name,) if place in places else None for place, name in enumerate(TRUTH)]


def test_two_labels_suffice_for_two_heaps():
    guesses = learn(unit_rows(ROWS), labelled(0, 20))
    assert guesses is not None
    assert guesses.n_learned == 2
    assert [guesses.suggested(row)[0] for row in range(40)] == [(name,) for name in TRUTH]


def test_one_class_alone_teaches_nothing():
    assert learn(unit_rows(ROWS), labelled(0, 1, 2)) is None
    assert learn(unit_rows(ROWS), [None] * 40) is None


def test_where_pictures_may_have_several_classes_each_is_judged_by_itself():
    both = [("sky", "warm") if row % 20 < 10 else ("sky",) for row in range(20)]
    rows = np.concatenate([ROWS[:20] + 8 * np.eye(10, dtype=np.float32)[5] * (np.arange(20)[:, None] < 10), ROWS[20:]])
    guesses = learn(unit_rows(rows), [*both, *([("sea",)] * 20)], has_several=True)
    assert guesses is not None
    assert set(guesses.suggested(0)[0]) == {"sky", "warm"}
    assert guesses.suggested(15)[0] == ("sky",)
    assert guesses.suggested(30)[0] == ("sea",)


@pytest.mark.parametrize(
    ("probs", "has_several", "expected"),
    [
        ([[0.5, 0.5, 0.0]], False, 1.0),
        ([[1.0, 0.0, 0.0]], False, 0.0),
        ([[0.7, 0.2, 0.1]], False, 0.5),
        ([[0.9, 0.5, 0.0]], True, 1.0),
        ([[0.9, 1.0, 0.0]], True, 0.2),
    ],
)
def test_uncertainty_is_how_close_the_call_is(probs: list[list[float]], has_several: bool, expected: float):
    guesses = Guesses(("a", "b", "c"), np.array(probs), 3, has_several)
    assert uncertainty(guesses) == pytest.approx([expected])


def test_an_odd_picture_is_the_least_typical():
    rows = np.concatenate([ROWS, [np.full(10, -30, dtype=np.float32)]])
    alone = typicality(unit_rows(rows), [None] * 41)
    of_class = typicality(unit_rows(rows), [*TRUTH, "sea"])
    assert (int(alone.argmin()), int(of_class.argmin())) == (40, 40)


def test_spread_goes_from_heap_to_heap():
    units = unit_rows(ROWS)
    nothing = np.empty(0, dtype=np.int64)
    first, second = spread(units, np.arange(40), 2, nothing).tolist()
    assert (first, TRUTH[second]) == (0, "sea")
    (next_one,) = spread(units, np.arange(40), 1, np.array([0, 1, 2])).tolist()
    assert TRUTH[next_one] == "sea"
    assert spread(units, nothing, 3, nothing).tolist() == []


def test_without_labels_the_first_pictures_asked_for_are_of_both_heaps():
    asked = most_useful(unit_rows(ROWS), [None] * 40, None, most=2).tolist()
    assert {TRUTH[row] for row in asked} == {"sky", "sea"}


def test_with_a_model_the_closest_calls_are_asked_for_and_never_a_labelled_picture():
    between = np.concatenate([ROWS, [CENTRES.mean(axis=0)]]).astype(np.float32)
    labels = [*labelled(0, 1, 20, 21), None]
    guesses = learn(unit_rows(between), labels)
    asked = most_useful(unit_rows(between), labels, guesses, most=10).tolist()
    assert asked[0] == 40
    assert not {0, 1, 20, 21} & set(asked)
    assert most_useful(unit_rows(ROWS), [("sky",)] * 40, None).tolist() == []
