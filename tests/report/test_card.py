"""The model card."""

from __future__ import annotations

from winnow.report.card import as_model_card
from winnow.report.schema import Report


def test_the_card_has_the_sections_of_a_model_card(report: Report):
    headings = [line for line in as_model_card(report).splitlines() if line.startswith("## ")]
    assert headings == [
        "## Intended use",
        "## Data",
        "## Method",
        "## Figures",
        "## Limits",
        "## Cost",
        "## How to get the same again",
    ]


def test_figures_carry_their_intervals_and_their_openings(report: Report):
    card = as_model_card(report)
    accuracy = report.judged.evaluation.scores["accuracy"]
    assert accuracy is not None
    assert (
        f"| accuracy | {100 * accuracy.value:.1f} % ({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f}) |" in card
    )
    assert "opening 2, optimistic" in card


def test_every_row_of_a_table_has_as_many_cells_as_its_head(report: Report, hostile: Report):
    for card in (as_model_card(report), as_model_card(hostile)):
        for block in card.split("\n\n"):
            rows = [line.replace("\\|", "").count("|") for line in block.splitlines() if line.startswith("|")]
            assert len(set(rows)) <= 1


def test_names_that_are_markup_are_escaped(hostile: Report):
    card = as_model_card(hostile)
    assert "<script" not in card.replace("\\<", "")
    assert "\\<script\\>alert(1)\\</script\\>" in card
    assert "\x1b" not in card
    assert "\n# \\<b\\>x" in "\n" + card


def test_many_classes_are_summed_up(many: Report):
    assert "The 20 worst and the 20 best of 102 classes." in as_model_card(many)
