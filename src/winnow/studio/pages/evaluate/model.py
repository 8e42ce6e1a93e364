"""Evaluate, a model: verdict, scores, a closer look, comparison, other pictures, limits and files."""

from __future__ import annotations

import json
import shlex

from nicegui import ui

from winnow.api.report import ReportFile
from winnow.errors import UserError
from winnow.report import words
from winnow.report.page.facts import limits_section
from winnow.report.page.ladder import ladder_section
from winnow.report.page.scores import scores_section
from winnow.report.schema import Report
from winnow.studio.answering import aside
from winnow.studio.fields import choice, on_change
from winnow.studio.page import Page, Visit
from winnow.studio.pages.evaluate.closer_look import closer_look
from winnow.studio.pages.evaluate.compare import comparison
from winnow.studio.pages.evaluate.files import files
from winnow.studio.pages.evaluate.judged_sets import JUDGED, OTHER, TEST, find_set, measurements_of, report_of
from winnow.studio.pages.evaluate.links import model_page
from winnow.studio.pages.evaluate.measure import open_test, other_pictures
from winnow.studio.parts import box, details, drawing, heading, link, para, same_as
from winnow.workspace.records import ModelRecord

_HEAD = (
    '<link rel="stylesheet" href="/drawings/ladder.css"><link rel="stylesheet" href="/drawings/closer_look.css">'
    '<link rel="stylesheet" href="/static/evaluate/evaluate.css">'
    '<script type="module" src="/static/evaluate/evaluate.js"></script>'
)


async def build(visit: Visit) -> None:
    """All that is known of one model."""
    record = await aside(visit.workspace.find_model, visit.path["model"])
    report = await aside(report_of, record)
    records = await aside(visit.workspace.models)
    ui.add_head_html(_HEAD)
    _in_short(record, records, report)
    drawing(scores_section(report.numbers), "report-part")
    open_test(visit.workspace, record, report)
    with details("The ladder: what each method scored, and what it cost"):
        drawing(ladder_section(report.numbers), "report-part")
    await _look(visit, record, report)
    await comparison(visit, record, records)
    await other_pictures(visit.workspace, record)
    drawing(limits_section(report.numbers), "report-part")
    files(record.full_name, report.numbers)
    name = shlex.quote(record.full_name)
    quoted = json.dumps(record.full_name, ensure_ascii=False)
    same_as(
        f"winnow evaluate {name} --per-class --confusion",
        f"import winnow\nreport = winnow.Model.open({quoted}).report\nprint(report.verdict)\n"
        'report.save("report.html")',
    )


def _in_short(record: ModelRecord, records: list[ModelRecord], report: ReportFile) -> None:
    with box("section", "card"):
        newest_first = sorted(records, key=lambda one: one.created, reverse=True)
        chooser = choice("Model", {one.full_name: one.full_name for one in newest_first}, value=record.full_name)
        on_change(chooser, lambda chosen: ui.navigate.to(model_page(str(chosen))))
        para(report.verdict, "lead", id="verdict")
        para(_made_from(report.numbers), "hint")


def _made_from(numbers: Report) -> str:
    pictures = words.count(sum(numbers.dataset.pictures_in(split) for split in numbers.dataset.splits), "picture")
    classes = words.count(len(numbers.dataset.classes), "class", "classes")
    return (
        f"Made from {pictures} of {classes}: dataset {numbers.dataset.name}, version {numbers.dataset.version}, "
        f"judged on {words.count(numbers.climb.n_judged, 'picture')} ({numbers.climb.judged_by})."
    )


async def _look(visit: Visit, record: ModelRecord, report: ReportFile) -> None:
    """Thresholds, matrix, mistakes, calibration and classes of the chosen set."""
    numbers, name = report.numbers, record.full_name
    titles = {JUDGED: words.capital(numbers.climb.judged_by)}
    if numbers.test is not None:
        titles[TEST] = "Test split"
    for dataset, work in measurements_of(visit.workspace).of_model(name).items():
        if work.outcome is not None:
            titles[f"{OTHER}{dataset}"] = f"Dataset {dataset}"
    wanted = visit.query.get("on", JUDGED)
    on = wanted if wanted in titles else JUDGED
    heading("A closer look", id="closer-look")
    if len(titles) > 1:
        with box("nav", aria_label="Pictures to look at"), box("ul", "sets"):
            for one, title in titles.items():
                with box("li"):
                    link(title, model_page(name, on=one), aria_current="page" if one == on else None)
    try:
        shown = await aside(find_set, visit.workspace, name, on)
    except UserError as error:
        para(str(error), "notice wrong")
        return
    drawing(await aside(closer_look, shown, name), "closer")


MODEL = Page("/evaluate/{model}", lambda visit: f"Evaluate {visit.path['model']}", build, room="Evaluate")
