"""Train a dataset: ask for a climb, with the estimate before it; the dataset's climbs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from nicegui import ui

from winnow.api.dataset import Dataset
from winnow.api.jobs import submit
from winnow.api.training import shelves
from winnow.data.manifest import Task
from winnow.errors import UserError
from winnow.graph.backbone import list_backbones
from winnow.report.words import count
from winnow.studio.page import Page, Visit
from winnow.studio.pages.train.climbs import Climbs, address
from winnow.studio.pages.train.lines import command_line, python_lines
from winnow.studio.pages.train.plans import PlanView
from winnow.studio.pages.train.wishes import WishForm
from winnow.studio.parts import aside, box, button, heading, link, para, same_as, text
from winnow.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Facts:
    name: str
    version: int
    task: Task
    pictures: int
    classes: int
    openings: int
    backbones: list[str]


async def build(visit: Visit) -> None:
    """The form beside the estimate, then the climbs."""
    facts = await aside(_facts, visit.workspace, visit.path["name"])
    ui.add_head_html('<link rel="stylesheet" href="/static/train.css">')
    kind = "one class a picture" if facts.task == "classify" else "any number of classes a picture"
    with box("p"):
        said = f"{count(facts.pictures, 'picture')}, {count(facts.classes, 'class', 'classes')}, {kind}; "
        text("span", f"{said}version {facts.version}. ")
        link("See and label them", f"/label/{quote(facts.name)}")
    with box("div", "columns"):
        _ask(visit, facts)
    await Climbs(visit.workspace, facts.name).keep_looking()


def _ask(visit: Visit, facts: _Facts) -> None:
    with box("section", "card"):
        heading("What you want")
        form = WishForm(facts.task, facts.backbones, facts.openings, lambda: changed())

    def wish() -> dict[str, Any]:
        return {**form.wish(), "rungs": plan.rungs()}

    async def changed() -> None:
        await plan.refresh()
        try:
            asked = wish()
        except UserError:
            return  # the estimate says what is wrong
        command.text, python.text = command_line(facts.name, asked), python_lines(facts.name, asked)

    async def start() -> None:
        asked = wish()
        if plan.refusal is not None:
            raise plan.refusal
        job = await aside(partial(submit, facts.name, workspace=visit.workspace, **asked))
        ui.navigate.to(address(job))

    with box("section", "card"):
        plan = PlanView(visit.workspace, facts.name, wish, changed)
        button("Start the climb", start, "main-action", id="start")
        para("It runs by itself: you may close this page, and come back when you like.", "hint")
        plan.show_methods()
        command, python = same_as(command_line(facts.name, {}), python_lines(facts.name, {}))
    ui.timer(0.05, changed, once=True)


def _facts(workspace: Workspace, name: str) -> _Facts:
    record = workspace.find_dataset(name)
    version = workspace.find_version(name)
    data = Dataset(workspace, record.name, version.number)
    backbones = [one.name for one in list_backbones(shelves(workspace))]
    return _Facts(
        name=record.name,
        version=version.number,
        task=data.manifest.task,
        pictures=version.examples,
        classes=version.classes,
        openings=record.openings,
        backbones=list(dict.fromkeys(backbones)),
    )


PAGE = Page("/train/{name}", lambda visit: f"Train {visit.path['name']}", build, room="Train")
