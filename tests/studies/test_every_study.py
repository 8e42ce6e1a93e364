"""What every study promises, with hardly any steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from winnow import installed
from winnow.errors import NotFoundError, UserError
from winnow.events import Event, Progress
from winnow.report.study_schema import StudyReport
from winnow.studies.catalogue import all_studies, find_study
from winnow.studies.pictures import StudyPictures
from winnow.studies.running import run_study
from winnow.studies.study import Setup, Study

Ran = tuple[StudyReport, list[Progress]]


def tiny(study: Study, pictures: StudyPictures, seeds: tuple[int, ...] = (0, 1)) -> Ran:
    """A study with two seeds and hardly any steps, and the progress it told."""
    told: list[Progress] = []

    def hear(event: Event) -> None:
        assert isinstance(event, Progress)
        told.append(event)

    of = pictures if study.needs_pictures else None
    return run_study(study, Setup(seeds, of, effort=0.01, tell=hear), "winnow study"), told


@pytest.fixture(scope="module", params=all_studies(), ids=lambda study: study.name)
def ran(request: pytest.FixtureRequest, few_digits: StudyPictures) -> Ran:
    """Every study, run once."""
    return tiny(request.param, few_digits)


def test_a_study_ends_in_a_sentence_with_its_claim_its_numbers_and_its_verdict(ran: Ran):
    report, _ = ran
    assert report.sentence.startswith(report.claim)
    assert report.sentence.endswith(f"Verdict: {report.verdict}.")
    assert all(len(one.by_seed) == 2 and one.what in report.sentence for one in report.comparisons)
    assert report.comparisons
    assert StudyReport.model_validate_json(report.model_dump_json()) == report


def test_a_study_tells_how_far_it_is(ran: Ran):
    _, told = ran
    assert [event.done for event in told] == list(range(told[-1].total + 1))


def test_lines_have_a_finite_place_for_every_x(ran: Ran):
    report, _ = ran
    assert report.charts
    for chart in report.charts:
        assert len({one.name for one in chart.series}) == len(chart.series)
        for one in chart.series:
            assert len(one.xs) == len(one.ys) > 0
            assert len(one.lows) == len(one.highs)
            assert len(one.lows) in (0, len(one.xs))
            assert all(math.isfinite(value) for value in (*one.xs, *one.ys, *one.lows, *one.highs))
            assert not chart.is_log_y or min(one.ys) > 0


@pytest.mark.parametrize("name", ["xor", "dropout", "cut-at-layer"])
def test_the_same_seeds_give_the_same_figures(name: str, few_digits: StudyPictures):
    first, second = (tiny(find_study(name), few_digits)[0] for _ in range(2))
    assert first.comparisons == second.comparisons
    assert first.charts == second.charts


def test_a_seed_gives_the_same_whoever_stands_beside_it(few_digits: StudyPictures):
    study = find_study("pooling")
    both, swapped = (tiny(study, few_digits, seeds)[0].comparisons[0].by_seed for seeds in ((3, 4), (4, 3)))
    assert both == swapped[::-1]


def test_names_titles_and_claims_are_each_ones_own_and_claims_are_sentences():
    studies = all_studies()
    for values in zip(*((one.name, one.title, one.claim) for one in studies), strict=True):
        assert len(set(values)) == len(studies)
    assert all(one.claim[0].isupper() and one.claim.endswith(".") and one.source for one in studies)


def test_a_mistyped_name_is_recognised():
    with pytest.raises(NotFoundError, match=r"No study is called 'dropuot'. Did you mean dropout\?"):
        find_study("dropuot")


class _Point:
    """An entry point of an installed package."""

    name, value = "theirs", "their_package:STUDY"

    def __init__(self, study: Study | None) -> None:
        self._study = study

    def load(self) -> Study:
        if self._study is None:
            raise ImportError("no module named their_package")
        return self._study


def test_an_installed_package_brings_its_study(monkeypatch: pytest.MonkeyPatch):
    theirs = replace(find_study("xor"), name="nand")
    monkeypatch.setattr(installed, "entry_points", lambda group: [_Point(theirs)])
    assert find_study("nand") is theirs
    assert all_studies()[-1] is theirs


@pytest.mark.parametrize(
    ("brought", "sentence"), [(None, "cannot be loaded"), (find_study("xor"), "a study called 'xor' already")]
)
def test_a_package_that_brings_no_new_study_is_named(
    monkeypatch: pytest.MonkeyPatch, brought: Study | None, sentence: str
):
    monkeypatch.setattr(installed, "entry_points", lambda group: [_Point(brought)])
    with pytest.raises(UserError, match=f"{sentence}.*remove its package"):
        all_studies()


def test_one_seed_decides_nothing():
    with pytest.raises(UserError, match="give 2 or more"):
        Setup((0,))


def test_a_study_of_pictures_asks_for_them():
    with pytest.raises(UserError, match="name a dataset or a folder"):
        run_study(find_study("pooling"), Setup((0, 1)), "winnow study pooling")
