"""The data behind every chart: tables that hold what the report holds."""

from __future__ import annotations

import csv
import io

from made_up import HOSTILE, MadeUp, made_up_report

from winnow.report.tables import ChartTable, charts, ladder_chart


def read(table: ChartTable) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.as_csv())))


def test_every_chart_has_its_table() -> None:
    found = charts(made_up_report(MadeUp()).judged)
    names = {"scores", "classes", "confusion", "pr-curves", "roc-curves", "thresholds", "reliability", "mistakes"}
    assert set(found) == names
    for table in found.values():
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_numbers_are_those_of_the_report() -> None:
    report = made_up_report(MadeUp())
    evaluation = report.judged.evaluation
    found = charts(report.judged)
    accuracy = next(row for row in read(found["scores"]) if row["metric"] == "accuracy")
    interval = evaluation.scores["accuracy"]
    assert interval is not None
    assert [float(accuracy[name]) for name in ("score", "score_low", "score_high")] == [
        interval.value,
        interval.low,
        interval.high,
    ]
    assert evaluation.confusion is not None
    counted = sum(int(row["pictures"]) for row in read(found["confusion"]))
    assert counted == sum(map(sum, evaluation.confusion.counts)) == evaluation.n
    assert [row["class"] for row in read(found["classes"])] == [c.name for c in evaluation.per_class]


def test_the_ladder_has_a_row_for_each_rung() -> None:
    report = made_up_report(MadeUp())
    rows = read(ladder_chart(report.ladder))
    assert [row["rung"] for row in rows] == [rung.rung for rung in report.ladder]
    assert [row["is_chosen"] for row in rows].count("True") == 1


def test_any_name_stays_one_cell_and_no_formula() -> None:
    classes = (*HOSTILE, "=1+1", 'a,"b"\nc')
    rows = read(charts(made_up_report(MadeUp(classes=classes)).judged)["classes"])
    assert [row["class"] for row in rows] == [*HOSTILE, "'=1+1", 'a,"b"\nc']
