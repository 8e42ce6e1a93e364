"""The terminal's tables."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console, RenderableType

from winnow.report.schema import Report
from winnow.report.text import confusion_table, ladder_table, per_class_table, scores_table, summary


def printed(what: RenderableType, width: int = 80) -> str:
    """As it comes out of a pipe."""
    out = StringIO()
    Console(file=out, width=width).print(what)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 130])
def test_no_line_is_wider_than_the_terminal(report: Report, width: int):
    evaluation = report.judged.evaluation
    for what in (summary(report), per_class_table(evaluation), confusion_table(evaluation)):
        assert max(map(len, printed(what, width).splitlines())) <= width


def test_a_pipe_gets_no_colour_codes(report: Report):
    assert "\x1b" not in printed(summary(report))


def test_the_ladder_says_score_gain_time_and_which_was_chosen(report: Report):
    lines = printed(ladder_table(report), 130).splitlines()
    (chosen,) = (line for line in lines if line.startswith(">+"))
    assert "Features + logistic regression" in chosen
    assert "+3.1 (1.9 to 4.3)" in chosen
    assert "2.4 s" in chosen
    assert any(line.startswith("Skipped, needs the extra 'deep'") and "Fine-tuned network" in line for line in lines)


def test_a_wide_terminal_draws_the_intervals(report: Report):
    assert "-o-" not in printed(ladder_table(report), 80)
    assert "o-" in printed(ladder_table(report), 130)


def test_an_optimistic_test_score_is_marked(report: Report, unopened: Report):
    assert "opening 2, optimistic" in printed(scores_table(report), 120)
    assert "Test split" not in printed(scores_table(unopened), 120)


def test_losses_say_that_less_is_better(report: Report):
    assert "Log loss (less is better)" in printed(scores_table(report), 120)


def test_each_class_has_its_row(report: Report):
    out = printed(per_class_table(report.judged.evaluation))
    assert all(f"\n{name} " in out for name in report.dataset.classes)


def test_confusions_of_many_classes_become_a_list_of_pairs(many: Report):
    assert "Taken for" in printed(confusion_table(many.judged.evaluation))


def test_names_neither_format_nor_command_the_terminal(hostile: Report):
    out = StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system=None)
    for what in (
        summary(hostile),
        per_class_table(hostile.judged.evaluation),
        confusion_table(hostile.judged.evaluation),
    ):
        console.print(what)
    assert "\x1b[31m" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    assert "[red]" in out.getvalue()
