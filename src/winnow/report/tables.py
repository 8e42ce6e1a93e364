"""The data behind every chart of a report as plain tables, for spreadsheets and for drawings of one's own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from winnow.data.sources.tables.formulas import as_text
from winnow.metrics.curves import Curve
from winnow.metrics.evaluation import Evaluation
from winnow.metrics.intervals import Interval
from winnow.report.schema import Judgement, RungResult

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class ChartTable:
    """One chart's numbers."""

    title: str
    """What it is, in a few words."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_csv(self) -> str:
        """RFC 4180 with a header; what is not defined is empty, ratios lie in [0, 1], and names that a spreadsheet
        would run as formulas get an apostrophe in front."""
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(self.columns)
        writer.writerows([list(map(_written, row)) for row in self.rows])
        return buffer.getvalue()


def _written(cell: Cell) -> str | float | int:
    return as_text(cell) if isinstance(cell, str) else "" if cell is None else cell


def ladder_chart(rungs: Sequence[RungResult]) -> ChartTable:
    """Every rung of the ladder: what it scored, what it gained and what it cost."""
    columns = ("rung", "title", "state", "reason", "is_chosen", "has_earned", "gain_over", "seconds", "joules")
    rows = tuple(
        (
            one.rung,
            one.title,
            one.state,
            one.reason,
            one.is_chosen,
            one.has_earned,
            one.gain_over,
            one.seconds,
            one.joules,
            *_ends(one.score),
            *_ends(one.gain),
        )
        for one in rungs
    )
    return ChartTable("The ladder", (*columns, *_names("score"), *_names("gain")), rows)


def charts(judgement: Judgement) -> dict[str, ChartTable]:
    """The charts of one set of pictures, by a name that a file can have."""
    evaluation = judgement.evaluation
    found = {
        "scores": _scores(evaluation),
        "classes": _classes(evaluation),
        "pr-curves": _curves("Precision-recall curves", ("recall", "precision"), evaluation.pr_curves),
        "roc-curves": _curves("ROC curves", ("false_positive_rate", "true_positive_rate"), evaluation.roc_curves),
        "thresholds": _thresholds(evaluation),
        "reliability": _reliability(evaluation),
        "mistakes": _mistakes(judgement),
    }
    if evaluation.confusion is not None:
        table = evaluation.confusion
        rows = tuple(
            (truth, answer, table.counts[i][j])
            for i, truth in enumerate(table.classes)
            for j, answer in enumerate(table.classes)
        )
        found["confusion"] = ChartTable("Confusion matrix", ("truth", "answer", "pictures"), rows)
    if evaluation.misses is not None:
        missed, false = evaluation.misses.missed, evaluation.misses.false
        rows = tuple(
            (one.name, one.threshold, one.n, one.n_found, missed[c], false[c])
            for c, one in enumerate(evaluation.per_class)
        )
        columns = ("class", "threshold", "shown_by", "found", "missed", "falsely_called")
        found["misses"] = ChartTable("What is missed and falsely called", columns, rows)
    return found


def _scores(evaluation: Evaluation) -> ChartTable:
    rows = tuple((name, *_ends(one)) for name, one in evaluation.scores.items())
    return ChartTable("Scores", ("metric", *_names("score")), rows)


def _classes(evaluation: Evaluation) -> ChartTable:
    kinds = ("precision", "recall", "f1", "auroc", "average_precision")
    rows = tuple(
        (one.name, one.n, one.threshold, *(end for kind in kinds for end in _ends(getattr(one, kind))))
        for one in evaluation.per_class
    )
    columns = ("class", "pictures", "threshold", *(name for kind in kinds for name in _names(kind)))
    return ChartTable("Class by class", columns, rows)


def _curves(title: str, axes: tuple[str, str], curves: Mapping[str, Curve]) -> ChartTable:
    rows = tuple(
        (name, threshold, x, y)
        for name, curve in curves.items()
        for threshold, x, y in zip(curve.thresholds, curve.x, curve.y, strict=True)
    )
    return ChartTable(title, ("class", "threshold", *axes), rows)


def _thresholds(evaluation: Evaluation) -> ChartTable:
    rows = tuple(
        (row.threshold, row.coverage, row.accuracy, row.precision, row.recall) for row in evaluation.thresholds
    )
    return ChartTable("Thresholds", ("threshold", "coverage", "accuracy", "precision", "recall"), rows)


def _reliability(evaluation: Evaluation) -> ChartTable:
    rows = tuple((b.low, b.high, b.n, b.confidence, *_ends(b.accuracy)) for b in evaluation.reliability)
    return ChartTable("Reliability", ("from", "to", "answers", "mean_confidence", *_names("right")), rows)


def _mistakes(judgement: Judgement) -> ChartTable:
    rows = tuple((one.source, one.content, one.truth, one.answer, one.prob) for one in judgement.mistakes)
    return ChartTable("Worst mistakes", ("source", "content", "truth", "answer", "prob"), rows)


def _names(what: str) -> tuple[str, ...]:
    return (what, f"{what}_low", f"{what}_high")


def _ends(interval: Interval | None) -> tuple[Cell, ...]:
    return (None, None, None) if interval is None else (interval.value, interval.low, interval.high)
