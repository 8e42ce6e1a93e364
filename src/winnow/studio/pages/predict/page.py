"""Predict: ask a model about pictures: dropped, chosen, pasted, from the camera, or a whole folder of this machine."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

from nicegui import ui

from winnow.api.model import Model
from winnow.errors import UserError
from winnow.report.words import count, percent, printable, threshold
from winnow.studio.answering import aside
from winnow.studio.fields import choice, field, on_change
from winnow.studio.open_models import open_models_of
from winnow.studio.page import Page, Visit
from winnow.studio.pages.predict.answers import words
from winnow.studio.pages.predict.folder_answers import MOST_SHOWN, FolderAnswers, folder_answers_of
from winnow.studio.pages.predict.over_http import over_http
from winnow.studio.parts import Cell, box, button, details, heading, link, para, same_as, table, text
from winnow.workspace.records import ModelRecord
from winnow.workspace.workspace import Workspace

_WATCH_S = 0.4
_HEAD = (
    '<link rel="stylesheet" href="/static/predict/predict.css">'
    '<script type="module" src="/static/predict/predict.js"></script>'
)


async def build(visit: Visit) -> None:
    """The model, its answers to pictures, and answers for a folder."""
    records = await aside(visit.workspace.models)
    if not records:
        with box("section", "card"):
            para("There is no model yet. Train one first: it takes a few minutes.")
            link("Train a model", "/train", "button")
        same_as("winnow predict MODEL sky.jpg", 'import winnow\nwinnow.Model.open("MODEL").predict("sky.jpg")')
        return
    asked = visit.path.get("model")
    newest = max(records, key=lambda record: record.created)
    record = newest if asked is None else await aside(visit.workspace.find_model, asked)
    opened = await aside(open_models_of(visit.workspace).find, record.full_name)
    name = record.name if record.is_current else record.full_name
    ui.add_head_html(_HEAD)
    with box("section", "card"):
        _choose(records, name)
        await _about(opened.model, record)
    _pictures(record)
    _folder(visit.workspace, opened.model)
    _the_same(name)
    await over_http(visit.workspace, record)


def _choose(records: list[ModelRecord], name: str) -> None:
    newest_first = sorted(records, key=lambda record: (record.is_current, record.created), reverse=True)
    options = {one: one for record in newest_first for one in [record.name if record.is_current else record.full_name]}
    chooser = choice("Model", options, value=name)
    on_change(chooser, lambda chosen: ui.navigate.to(f"/predict/{quote(str(chosen), safe='')}"))


async def _about(model: Model, record: ModelRecord) -> None:
    """What it answers, and when it says that it is not sure."""
    para(
        f"It tells {count(len(model.classes), 'class', 'classes')} apart and was trained on the dataset "
        f"{record.dataset}, version {record.version}."
    )
    try:
        sure_from = await aside(lambda: model.sure_from)
    except UserError as error:  # a damaged report: the model answers all the same
        para(str(error), "notice wrong")
        return
    para(_when_sure(model, sure_from), id="when-sure")
    with details("How this threshold comes about, and what it cannot know"):
        para(
            "While the model was chosen it answered pictures that it had not learned from. The threshold is the lowest "
            "probability, one half at least, from which on these answers were right so often that luck alone hardly "
            "explains it: sure answers are right at least 9 times in 10, which holds for 19 of 20 models "
            "(fixed-sequence testing, exact binomial tests). "
            "It holds for pictures of the same kind: one that shows none of the classes may still get a high "
            "probability, so look at the nearest training pictures, too."
            if model.thresholds is None
            else "Each class has a threshold of its own, chosen on pictures that the model had not learned from."
        )
        if model.thresholds is not None:
            rows = [[name, threshold(prob)] for name, prob in model.thresholds.items()]
            table("From which probability on each class is called", ("Class", "Threshold"), rows)


def _when_sure(model: Model, sure_from: float | None) -> str:
    if model.thresholds is not None:
        return "A picture may show several classes, or none: it names those that reach their threshold."
    if sure_from is None:
        return (
            'It says "I am not sure" to every picture: it was judged on too few, or was wrong too often, to know '
            "from which probability on it can be trusted. More labelled pictures help."
        )
    judged = model.report.numbers.judged.evaluation
    share = next(row.coverage for row in judged.thresholds if row.threshold >= sure_from)
    return (
        f'It says "I am not sure" below a probability of {threshold(sure_from)}. It was sure about {percent(share)} of '
        f"the {count(judged.n, 'picture')} that it was judged on."
    )


def _pictures(record: ModelRecord) -> None:
    with box("section", "card", id="ask", data_model=record.full_name):
        heading("Ask about pictures")
        with box("div", id="drop", classes="drop"):
            para("Drop pictures here, paste one from the clipboard, or")
            with box("div", "row"):
                text("label", "Choose pictures", "button", for_="choose", id="choose-label")
                box("input", "unseen", id="choose", type="file", multiple=True, accept="image/*,.dcm,.tif,.tiff")
                text("button", "Use the camera", id="camera", type="button", aria_pressed="false")
        para("", "unseen", id="told", role="status")
        # predict.js fills these; nothing here is ever changed from the server.
        with box("div", id="live", hidden=True):
            box(
                "video",
                "live",
                id="video",
                muted=True,
                playsinline=True,
                autoplay=True,
                aria_label="What the camera sees",
            )
            box("div", id="live-answer")
        box("div", id="answers")


def _folder(workspace: Workspace, model: Model) -> None:
    kept = folder_answers_of(workspace)
    with box("section", "card"):
        heading("Answer a whole folder")
        para("The folder stays where it is; the answers become a table to download.")
        with box("div", "row"):
            path = field("Folder, file or pattern on this machine", hint="Such as ~/photos or ~/photos/*.jpg")
            button("Answer", lambda: begin())
        place = box("div", id="folder-answers")

    def begin() -> None:
        wanted = str(path.props["value"]).strip()
        if not wanted:
            raise UserError("Type the path of a folder first.")
        kept.begin(model, wanted)
        draw()

    def draw() -> None:
        place.clear()
        with place:
            for one in kept.of_model(model):
                _Shown(one)

    draw()


class _Shown:
    """One folder's answers on the page: how far, then the first of them."""

    def __init__(self, answers: FolderAnswers) -> None:
        self._answers = answers
        with box("section", "folder"):
            heading(printable(answers.path), 3)
            self._said = para("", role="status")
            self._bar = box("progress", aria_label="Answered so far", max=1)
            self._stop = button("Stop", answers.work.stop)
            self._rest = box("div")
        self._timer = ui.timer(_WATCH_S, self._look, active=answers.work.is_running)
        self._look()

    def _look(self) -> None:
        answers, work = self._answers, self._answers.work
        if work.is_running:
            now = work.progress
            self._said.text = "Answering" if now is None or now.total is None else "Answering the pictures"
            if now is not None and now.total:
                self._bar.props["value"] = now.done / now.total
            return
        self._timer.deactivate()
        self._bar.set_visibility(False)
        self._stop.set_visibility(False)
        said = f"{count(answers.n_answered, 'picture')} answered"
        failed = f"; {count(answers.n_failed, 'file')} could not be read" if answers.n_failed else ""
        self._said.text = work.error or (f"Stopped after {said}." if work.state == "stopped" else f"{said}{failed}.")
        if work.state == "done":
            with self._rest:
                link("Download all answers (CSV)", f"/answers/{answers.id}.csv", "button", download=True)
                _table(answers)


def _table(answers: FolderAnswers) -> None:
    n = answers.n_answered + answers.n_failed
    caption = f"Answers for {printable(answers.path)}"
    if n > MOST_SHOWN:
        caption += f": the first {MOST_SHOWN}; the download has all"
    rows: list[list[Cell]] = [
        [printable(one.source), words(answers.model, one) if one.error is None else f"No answer: {one.error}"]
        for one in answers.shown
    ]
    table(caption, ("File", "Answer"), rows)


def _the_same(name: str) -> None:
    typed, written = shlex.quote(name), json.dumps(name, ensure_ascii=False)
    same_as(
        f"winnow predict {typed} sky.jpg --near 6\nwinnow predict {typed} ./inbox --to csv > answers.csv",
        f'import winnow\nmodel = winnow.Model.open({written})\nanswer = model.predict("sky.jpg")[0]\n'
        "print(answer.label, answer.prob, model.is_sure(answer))\n"
        "from winnow.api.neighbours import nearest_training_pictures\n"
        'print(nearest_training_pictures(model, "sky.jpg"))',
    )


PAGES = (
    Page("/predict", lambda _: "Predict", build, room="Predict"),
    Page("/predict/{model}", lambda _: "Predict", build, room="Predict"),
)
