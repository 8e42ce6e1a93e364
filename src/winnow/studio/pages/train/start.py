"""Train a dataset: ask for a climb, with the estimate before it; the dataset's climbs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from winnow.api.dataset import Dataset, dataset_named
from winnow.api.jobs import enqueue
from winnow.api.shelves import shelves
from winnow.api.wish import Wish
from winnow.data.manifest import Task
from winnow.errors import UserError
from winnow.graph.backbone import list_backbones
from winnow.report.words import count
from winnow.studio.answering import aside
from winnow.studio.page import Page, Visit
from winnow.studio.pages.train.climbs import Climbs, address
from winnow.studio.pages.train.lines import command_line, python_lines
from winnow.studio.pages.train.plans import PlanView
from winnow.studio.pages.train.wishes import WishForm
from winnow.studio.parts import box, button, heading, link, para, same_as, text
from winnow.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Facts:
    name: str
    version: int
    task: Task
    pictures: int
    classes: int
    has_test: bool
    openings: int
    backbones: list[str]


async def build(visit: Visit) -> None:
    """The form beside the estimate, then the climbs."""
    facts = await aside(_facts, visit.workspace, visit.path["name"])
    ui.add_head_html('<link rel="stylesheet" href="/static/train/train.css">')
    kind = "one class a picture" if facts.task == "classify" else "any number of classes a picture"
    with box("p"):
        said = f"{count(facts.pictures, 'picture')}, {count(facts.classes, 'class', 'classes')}, {kind}; "
        text("span", f"{said}version {facts.version}. ")
        link("See and label them", f"/label/{quote(facts.name)}")
    request = Request(visit.workspace, facts)
    with box("div", "columns"):
        request.show()
    await Climbs(visit.workspace, facts.name).keep_looking()
    request.lines = same_as(command_line(facts.name, Wish()), python_lines(facts.name, Wish()))
    ui.timer(0.05, request.changed, once=True)


class Request:
    """A climb that is being asked for: what is wished for, and what would come of it."""

    def __init__(self, workspace: Workspace, facts: _Facts) -> None:
        self._workspace, self._facts = workspace, facts
        self.lines: tuple[TextElement, TextElement] | None = None
        """What shows the same for the command line and for Python."""

    def show(self) -> None:
        """The form, and beside it the estimate with the way to start."""
        facts = self._facts
        with box("section", "card"):
            heading("What you want")
            self._form = WishForm(facts.task, facts.backbones, facts.openings if facts.has_test else None, self.changed)
        with box("section", "card"):
            self._plan = PlanView(self._workspace, facts.name, self._wish, self.changed)
            button("Start the climb", self._start, "main-action", id="start")
            para("It runs by itself: you may close this page, and come back when you like.", "hint")
            self._plan.show_methods()

    async def changed(self) -> None:
        """Something was changed: estimate anew."""
        await self._plan.refresh()
        try:
            wish = self._wish()
        except UserError:
            return  # the estimate says what is wrong
        if self.lines is not None:
            command, python = self.lines
            command.text, python.text = command_line(self._facts.name, wish), python_lines(self._facts.name, wish)

    def _wish(self) -> Wish:
        return replace(self._form.wish(), rungs=self._plan.rungs())

    async def _start(self) -> None:
        wish = self._wish()
        if self._plan.refusal is not None:
            raise self._plan.refusal
        job = await aside(lambda: enqueue(dataset_named(self._workspace, self._facts.name), wish))
        ui.navigate.to(address(job))


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
        has_test=any(counts.get("test") for counts in data.counts().values()),
        openings=record.openings,
        backbones=list(dict.fromkeys(backbones)),
    )


PAGE = Page("/train/{name}", lambda visit: f"Train {visit.path['name']}", build, room="Train")
