"""Evaluate, the first step: all models with what they are worth."""

from __future__ import annotations

from winnow.api.report import ReportFile
from winnow.errors import UserError
from winnow.report import words
from winnow.studio.answering import aside
from winnow.studio.moments import moment
from winnow.studio.page import Page, Visit
from winnow.studio.pages.evaluate.judged_sets import report_of
from winnow.studio.pages.evaluate.links import model_page
from winnow.studio.parts import Cell, box, link, para, same_as, table
from winnow.workspace.records import ModelRecord


async def build(visit: Visit) -> None:
    """A table of models, the newest first; or the way to the first one."""
    records = await aside(visit.workspace.models)
    with box("section", "card"):
        if not records:
            para("There is no model yet. Train one first: it takes a few minutes.")
            link("Train a model", "/train", "button")
        else:
            newest_first = sorted(records, key=lambda record: record.created, reverse=True)
            rows = await aside(lambda: [_row(record) for record in newest_first])
            columns = ("Model", "Dataset", "Measure", "On pictures it had not seen", "Test split", "Made")
            table("Models, the newest first", columns, rows)
    same_as("winnow list\nwinnow evaluate MODEL", 'import winnow\nprint(winnow.Model.open("MODEL").report.verdict)')


def _row(record: ModelRecord) -> list[Cell]:
    name = record.full_name

    def to_model() -> None:
        link(name, model_page(name))

    made = moment(record.created)
    try:
        report = report_of(record)
    except UserError as error:
        return [to_model, record.dataset, "–", str(error), "–", made]
    return [to_model, f"{record.dataset}, version {record.version}", *_worth(report), made]


def _worth(report: ReportFile) -> tuple[str, str, str]:
    numbers = report.numbers
    metric = numbers.climb.optimise
    judged = numbers.judged.evaluation.scores.get(metric)
    test = None if numbers.test is None else numbers.test.evaluation.scores.get(metric)
    shown = ["not defined" if one is None else words.score_with_span(metric, one) for one in (judged, test)]
    return words.capital(words.term(metric, numbers.task)), shown[0], shown[1] if numbers.test else "closed"


CHOOSE = Page("/evaluate", lambda _: "Evaluate", build, room="Evaluate")
