"""How the networks learned, on the report's page: drawn where there is something to draw, the numbers beside it."""

from __future__ import annotations

from pathlib import Path

from winnow.report.html import as_html
from winnow.report.page.learning import learning_charts
from winnow.report.schema import EpochFacts, LearningCurve, Report, RungResult

EPOCHS = (
    EpochFacts(losses={"loss": 1.5}, lr=0.1),
    EpochFacts(losses={}, lr=0.05),
    EpochFacts(losses={"loss": 0.25}, scores={"top1": 0.875}, lr=0),
)
CURVES = (LearningCurve(network="without fold 1", epochs=EPOCHS), LearningCurve(network="all pictures", epochs=EPOCHS))


def taught(report: Report) -> Report:
    *others, last = report.ladder
    return report.model_copy(update={"ladder": (*others, last.model_copy(update={"curves": CURVES}))})


def page(report: Report) -> str:
    return as_html(report, lambda _: None)


def test_where_no_network_was_taught_there_is_no_word_of_it(report: Report):
    assert "How the networks learned" not in page(report)
    assert 'class="chart"' not in page(report)


def test_every_network_is_a_line_and_every_number_stands_in_the_table(report: Report):
    drawn = page(taught(report))
    assert drawn.count('class="chart"') == 2
    for seen in ("How the networks learned", "without fold 1", "all pictures", "1.5", "0.25", "0.875", ".chart .line"):
        assert seen in drawn


def test_losses_and_scores_are_charts_of_their_own_and_an_epoch_without_a_loss_is_left_out():
    rung = RungResult(rung="small-net", title="small network", state="climbed", curves=CURVES)
    losses, scores = learning_charts(rung)
    assert (losses.y_title, scores.y_title) == ("loss", "top1")
    assert [line.name for line in losses.series] == ["without fold 1", "all pictures"]
    assert (losses.series[0].xs, losses.series[0].ys) == ((1.0, 3.0), (1.5, 0.25))
    assert (scores.series[0].xs, scores.series[0].ys) == ((3.0,), (0.875,))


def test_curves_are_read_as_they_were_written(report: Report, tmp_path: Path):
    taught(report).write_json(tmp_path / "report.json")
    assert Report.read_json(tmp_path / "report.json").ladder[-1].curves == CURVES


def test_a_report_from_before_there_were_curves_is_read(report: Report, tmp_path: Path):
    before = report.model_dump_json(exclude={"ladder": {"__all__": {"curves"}}})
    (tmp_path / "report.json").write_text(before, encoding="utf-8")
    assert Report.read_json(tmp_path / "report.json") == report
