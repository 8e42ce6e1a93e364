"""Look at more pictures: open the test split, which is counted, or measure on another dataset, which is not."""

from __future__ import annotations

import json
import shlex

from nicegui import ui

from winnow.api.evaluation import evaluate
from winnow.api.measured import Measured
from winnow.api.report import ReportFile
from winnow.errors import UserError
from winnow.report import words
from winnow.studio.answering import aside, say
from winnow.studio.background import Background
from winnow.studio.fields import choice
from winnow.studio.live import follow
from winnow.studio.open_models import open_models_of
from winnow.studio.pages.evaluate.judged_sets import OTHER, TEST, measurements_of
from winnow.studio.pages.evaluate.links import model_page
from winnow.studio.parts import box, button, heading, link, para, same_as, table
from winnow.workspace.records import ModelRecord
from winnow.workspace.workspace import Workspace


def open_test(workspace: Workspace, record: ModelRecord, report: ReportFile) -> None:
    """The button that opens the test split, with what that means said before; nothing once it is open."""
    numbers = report.numbers
    n = numbers.dataset.pictures_in("test")
    if numbers.test is not None or n == 0:
        return
    with box("section", "card", id="open-test"):
        heading("The test split is closed")
        openings = workspace.find_dataset(record.dataset).openings
        so_far = "has not been opened yet" if openings == 0 else f"has been opened {words.count(openings, 'time')}"
        para(
            f"{words.count(n, 'picture')} were put aside that took no part in choosing this model. They give the "
            f"honest figure, once: whoever looks often and chooses by it fools themselves. The test split of "
            f"{record.dataset} {so_far}; looking now is counted as opening {openings + 1}."
        )
        place = box("div")

        def begin() -> None:
            opened = open_models_of(workspace).find(record.full_name).model
            place.clear()
            with place:
                follow(Background(lambda tell: evaluate(opened, workspace=workspace, tell=tell)), shown)

        def shown() -> None:
            ui.navigate.to(model_page(record.full_name, on=TEST))

        with place:
            button("Open the test split", begin)
        same_as(
            f"winnow evaluate {shlex.quote(record.full_name)}",
            f"import winnow\nwinnow.evaluate({json.dumps(record.full_name, ensure_ascii=False)})",
        )


async def other_pictures(workspace: Workspace, record: ModelRecord) -> None:
    """Measure on another dataset at hand; the work goes on if the page is left."""
    datasets = [one.name for one in await aside(workspace.datasets) if one.newest is not None]
    kept = measurements_of(workspace)
    name = record.full_name
    with box("section", "card", id="other-pictures"):
        heading("Other labelled pictures")
        para(
            "Measure this model on another dataset: new pictures from another place or time say most. They are only "
            "read; a dataset's own test split stays closed, and no opening is counted."
        )
        others = [one for one in datasets if one.lower() != record.dataset.lower()] or datasets
        with box("div", "row"):
            chosen = choice("Dataset", {one: one for one in others}, value=others[0])
            button("Measure", lambda: begin(str(chosen.props["value"])))
        place = box("div", id="measured")

        def begin(dataset: str) -> None:
            follow_here(dataset, kept.begin(name, dataset))

        def follow_here(dataset: str, work: Background[Measured]) -> None:
            with place:
                around = box("div")
            with around:
                follow(work, lambda: done(dataset, work, around), stop="Stop")

        def done(dataset: str, work: Background[Measured], around: ui.element) -> None:
            around.clear()
            with around:
                if work.outcome is None:
                    raise UserError(work.error or "The measuring was stopped.")
                say(f"{name} was measured on {dataset}.")
                _measured(name, dataset, work.outcome)

        for dataset, work in kept.of_model(name).items():
            if work.is_running:
                follow_here(dataset, work)
            elif work.outcome is not None:
                with place:
                    _measured(name, dataset, work.outcome)
        quoted, first = shlex.quote(name), shlex.quote(others[0])
        arguments = f"{json.dumps(name, ensure_ascii=False)}, {json.dumps(others[0], ensure_ascii=False)}"
        same_as(f"winnow evaluate {quoted} {first}", f"import winnow\nwinnow.evaluate({arguments})")


def _measured(model: str, dataset: str, found: Measured) -> None:
    evaluation = found.judgement.evaluation
    rows = [
        [
            words.capital(words.term(metric, found.task))
            + ("" if words.higher_is_better(metric) else ", less is better"),
            "not defined" if interval is None else words.score_with_span(metric, interval),
        ]
        for metric, interval in evaluation.scores.items()
    ]
    table(f"{model} on {found.source}", ("Measure", words.count(evaluation.n, "picture")), rows)
    with box("ul"):
        for note in found.notes:
            with box("li"):
                para(note)
    link("Take a closer look at these pictures", model_page(model, on=f"{OTHER}{dataset}"), "button")
