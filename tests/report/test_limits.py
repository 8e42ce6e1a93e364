"""What the figures cannot tell."""

from __future__ import annotations

from winnow.report.limits import limits
from winnow.report.schema import Report, TestOpenings


def test_the_datasets_own_notes_come_first(report: Report):
    assert limits(report)[0] == report.dataset.notes[0]


def test_a_choice_judged_on_its_own_pictures_is_called_flattering(unopened: Report):
    assert any("little flattering" in said for said in limits(unopened))


def test_a_first_opening_is_not_called_optimistic(report: Report):
    first = report.model_copy(update={"openings": TestOpenings(count=1, opening=1)})
    assert any("optimistic" in said for said in limits(report))
    assert not any("optimistic" in said for said in limits(first))


def test_few_pictures_of_a_class_are_said(report: Report, many: Report):
    assert any("Every class was judged on fewer than 30 pictures" in said for said in limits(many))
    assert not any("Every class" in said for said in limits(report))


def test_an_interrupted_climb_says_so(report: Report):
    stopped = report.model_copy(update={"climb": report.climb.model_copy(update={"was_interrupted": True})})
    assert any("stopped early" in said for said in limits(stopped))
