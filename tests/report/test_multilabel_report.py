"""The report of a model that may answer several classes: the same page, with what is missed and falsely called."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from made_up import HOSTILE, made_up_multilabel_report, made_up_picture, multilabel_measured
from rich.console import Console
from test_html import Page

from winnow.report.card import as_model_card
from winnow.report.html import as_html
from winnow.report.limits import limits
from winnow.report.schema import Report
from winnow.report.text import confusion_table, per_class_table, summary


@pytest.fixture(scope="module")
def report() -> Report:
    return made_up_multilabel_report(has_test=True)


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(as_html(report, made_up_picture))


def _printed(drawn: object, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        console.print(drawn)
    return captured.get()


def test_it_comes_back_from_json_exactly(report: Report, tmp_path):
    report.write_json(tmp_path / "report.json")
    assert Report.read_json(tmp_path / "report.json") == report


def test_mistakes_come_most_sure_first_and_say_of_which_class(report: Report):
    mistakes = report.judged.mistakes
    assert [m.prob for m in mistakes] == sorted((m.prob for m in mistakes), reverse=True)
    for mistake in mistakes:
        assert mistake.worst in (*mistake.missed, *mistake.false)
        shown, called = (set(names.split(", ")) - {"nothing"} for names in (mistake.truth, mistake.answer))
        assert set(mistake.missed) == shown - called
        assert set(mistake.false) == called - shown


def test_every_number_of_the_table_opens_pictures_of_its_kind(report: Report, page: Page):
    misses, scores = report.judged.evaluation.misses, report.judged.evaluation.per_class
    assert misses is not None
    cells = page.data("judged-cells")["cells"]
    assert isinstance(cells, dict)
    assert {a["data-cell"] for a in page.find("button") if "data-cell" in a} >= set(cells)
    for key, cell in cells.items():
        c, kind = key.split(",")
        n = {"missed": misses.missed, "false": misses.false, "found": [s.n_found for s in scores]}[kind][int(c)]
        assert cell["n"] == n
        assert len(cell["shown"]) == min(n, 4 if kind == "found" else 12)
        assert report.dataset.classes[int(c)] in cell["what"]


def test_the_page_says_it_in_words_of_several_classes(report: Report, page: Page):
    for said in (
        "mAP",
        "subset accuracy",
        "Hamming loss",
        "coverage error",
        "What is missed and what is falsely called",
        "Called from",
        "Often together with",
        "Call a class if at least",
        "a class that gets 80 % is there 80 % of the time",
        "A class that is not among a picture's labels is taken to be absent.",
    ):
        assert said in page.words, said
    assert "confusion matrix" not in page.words
    assert "Of those, right" not in page.words


def test_the_slider_knows_how_many_pairs_are_true(report: Report, page: Page):
    data = page.data("judged-curves-data")
    n_true = sum(c.n for c in report.judged.evaluation.per_class)
    assert data["is_multilabel"] is True
    assert data["true_to_false"] == pytest.approx(n_true / (150 * 3 - n_true))


def test_every_heading_id_that_is_referred_to_exists(page: Page):
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    keys = ("aria-labelledby", "data-curves", "data-cells")
    assert {a[key] for _, a in page.elements for key in keys if key in a} <= set(ids)


def test_names_that_are_html_are_only_text():
    hostile = made_up_multilabel_report(HOSTILE)
    drawn = Page(as_html(hostile, made_up_picture))
    assert not [a for _, a in drawn.elements if any(key.startswith("on") for key in a)]
    assert not any(sign in block for block in drawn.raw["script"][:-1] for sign in "<>&")
    for name in HOSTILE[:3]:
        assert name in drawn.words
    card = as_model_card(hostile)
    assert "<script>" not in card
    assert "\x1b" not in _printed(confusion_table(hostile.judged.evaluation))


def test_a_picture_is_counted_once_however_many_classes_it_shows(report: Report, page: Page):
    assert "190 pictures of 3 classes" in page.words
    assert "| train | 150 |" in as_model_card(report)


def test_the_terminal_shows_thresholds_and_misses(report: Report):
    misses = report.judged.evaluation.misses
    assert misses is not None
    by_class = _printed(per_class_table(report.judged.evaluation))
    assert "Called from" in by_class
    assert "30 %" in by_class
    missed = _printed(confusion_table(report.judged.evaluation))
    for words in ("Found", "Missed", "Falsely called", "Instead", str(misses.missed[0])):
        assert words in missed
    assert "mAP" in _printed(summary(report), 80)


def test_the_card_says_that_any_number_of_classes_is_answered(report: Report):
    card = as_model_card(report)
    assert "which a picture shows: none, one or several (car, dog, tree)" in card
    assert "Called from" in card
    assert "optimising mAP" in card


@pytest.mark.parametrize(
    ("said", "expected"), [("heeded", "The chosen method heeds them"), ("ignored", "cannot heed them and learned")]
)
def test_weights_of_pictures_are_a_limit_of_the_figures(report: Report, said: str, expected: str):
    ladder = tuple(
        rung.model_copy(update={"settings": {**rung.settings, "weights": said}}) if rung.is_chosen else rung
        for rung in report.ladder
    )
    assert any(expected in one for one in limits(report.model_copy(update={"ladder": ladder})))
    assert not any("weight" in one for one in limits(report))


def test_no_mistake_and_no_picture_are_no_error(report: Report):
    few = multilabel_measured(["one"], 5, seed=3)
    bare = report.model_copy(update={"judged": few.model_copy(update={"mistakes": ()}), "test": None, "openings": None})
    words = Page(as_html(bare, lambda _: None)).words
    assert "Worst mistakes" not in words
    assert json.loads(bare.model_dump_json())["judged"]["evaluation"]["confusion"] is None


def test_reliability_counts_questions_not_pictures(report: Report):
    assert sum(b.n for b in report.judged.evaluation.reliability) == 150 * 3
    assert np.isfinite([b.confidence for b in report.judged.evaluation.reliability if b.confidence is not None]).all()
