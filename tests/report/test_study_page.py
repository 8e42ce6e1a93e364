"""A study as a page, as a drawing and in a terminal: the same numbers, complete without the drawing."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from xml.etree import ElementTree

import pytest
from rich.console import Console

from winnow.metrics.intervals import Interval
from winnow.report.lines import HEIGHT, WIDTH, Axis, drawing, height_of
from winnow.report.study_page import as_study_page, as_study_svg
from winnow.report.study_schema import Chart, Comparison, Series, StudyReport
from winnow.report.study_text import study_summary
from winnow.report.study_words import comparison_in_words, sentence

SVG = "{http://www.w3.org/2000/svg}"
GAIN = Comparison(
    what="accuracy, with minus without",
    unit="points",
    by_seed=(0.02, 0.04),
    interval=Interval(0.031, -0.019, 0.043),
    verdict="not decided by this much data",
)
CHART = Chart(
    title="Accuracy by <size>",
    x_title="pictures a class",
    y_title="accuracy",
    series=(
        Series(name="with", xs=(0, 1, 2), ys=(0.5, 0.75, 1.0), lows=(0.4, 0.7, 0.9), highs=(0.6, 0.8, 1.0)),
        Series(name="promised", xs=(0, 2), ys=(0.6, 0.6), is_theory=True),
    ),
    x_names=("1", "10", "all"),
)


@pytest.fixture
def study() -> StudyReport:
    return StudyReport(
        study="dropout",
        title="With & without",
        claim="It helps.",
        source="Somebody 2014",
        pictures="",
        seeds=(0, 1),
        settings={"epochs": 3},
        comparisons=(GAIN,),
        charts=(CHART, CHART),
        verdict="not decided by this much data",
        sentence=sentence("It helps.", [GAIN], 2, "not decided by this much data"),
        seconds=1.0,
        machine={"cores": 2},
        libraries={"torch": "2"},
        command="winnow study dropout --seeds 2",
    )


def test_differences_of_shares_are_said_in_points_with_sign_and_interval():
    said = comparison_in_words(GAIN)
    assert said == "accuracy, with minus without +3.1 points (−1.9 to 4.3): not decided by this much data"


def test_the_sentence_has_claim_seeds_numbers_and_verdict(study: StudyReport):
    assert study.sentence == (
        "It helps. Measured with 2 seeds, mean and 95 % interval: accuracy, with minus without "
        "+3.1 points (−1.9 to 4.3): not decided by this much data. Verdict: not decided by this much data."
    )


def test_the_page_says_in_words_all_that_it_draws(study: StudyReport):
    page = as_study_page(study)
    for said in (
        "With &amp; without",
        "It helps.",
        "+3.1 points",
        "0.75 (0.7 to 0.8)",
        "all",
        "Somebody 2014",
        "epochs",
    ):
        assert said.lower() in page.lower()
    assert "Accuracy by &lt;size&gt;" in page
    assert study.command in page


def test_the_pages_policy_knows_its_style(study: StudyReport):
    page = as_study_page(study)
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in page


def test_the_svg_file_stands_alone_and_is_whole_xml(study: StudyReport):
    root = ElementTree.fromstring(as_study_svg(study))
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == f"0 0 {WIDTH} {2 * height_of(CHART)}"
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")
    assert [text.text for text in root.iter(f"{SVG}text")].count("Accuracy by <size>") == 2
    assert "http" not in as_study_svg(study).replace("http://www.w3.org/2000/svg", "")


def test_a_screen_reader_hears_where_the_numbers_are():
    assert ElementTree.fromstring(drawing([CHART])).get("aria-label") == (
        "Accuracy by <size>. The numbers are in the table beside it."
    )


def test_points_lie_where_their_values_say():
    circles = list(ElementTree.fromstring(drawing([CHART])).iter(f"{SVG}circle"))
    xs, ys = ([float(circle.get(axis) or "nan") for circle in circles] for axis in ("cx", "cy"))
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    assert 0 < ys[2] < ys[0] < HEIGHT


def test_intervals_are_drawn_around_few_lines_and_left_to_the_table_where_they_would_hide_many():
    measured = CHART.series[0]
    for n_lines, n_bands in ((5, 5), (6, 0)):
        many = CHART.model_copy(update={"series": (measured,) * n_lines})
        assert drawing([many]).count('class="range') == n_bands


@pytest.mark.parametrize(
    ("values", "is_log", "ticks"),
    [
        ((0.0, 1.0), False, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ((1e-8, 1e8), True, [10.0**power for power in (-8, -5, -2, 1, 4, 7)]),
        ((1.0, 3.0), True, [1.0, 1.5, 2.0, 2.5, 3.0]),
    ],
)
def test_ticks_are_round_numbers(values: tuple[float, ...], is_log: bool, ticks: list[float]):
    assert Axis.over(values, is_log=is_log).ticks() == pytest.approx(ticks)


def test_a_logarithmic_axis_draws_what_vanished_at_its_foot():
    axis = Axis.over((0.0, 0.1, 10.0), is_log=True)
    assert [axis.place(value) for value in (0.0, 0.1, 1.0, 10.0)] == pytest.approx([0, 0, 0.5, 1])


def test_the_terminal_shows_claim_measure_and_verdict_at_80_columns(study: StudyReport):
    console = Console(file=io.StringIO(), width=80)
    console.print(study_summary(study))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, said.splitlines())) <= 80
    for word in ("It helps.", "+3.1 points", "−1.9 to 4.3", "not decided", "> 0"):
        assert word in said
