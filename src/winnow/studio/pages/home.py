"""Home: datasets, climbs and imports under way, models; and what to do first."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from nicegui import ui

from winnow.api.inventory import inventory
from winnow.api.jobs import Job, jobs
from winnow.report.words import duration
from winnow.studio.answering import aside, guarded
from winnow.studio.live import follow
from winnow.studio.moments import moment, now
from winnow.studio.page import Page, Visit
from winnow.studio.pages.importing.imports import Import, imports_of
from winnow.studio.pages.train.states import state_in_words, took_s
from winnow.studio.parts import Cell, box, button, heading, link, para, same_as, table, text
from winnow.workspace.workspace import Workspace

_LOOK_EVERY_S = 3.0
_OVER_SHOWN = 5


async def build(visit: Visit) -> None:
    """Tables of what there is, or an invitation; what is under way is looked at every few seconds."""
    found = await aside(inventory, visit.workspace)
    under_way = _UnderWay(visit.workspace)
    await under_way.look()
    if found["datasets"]:
        _datasets(found["datasets"])
        _models(found["models"])
    else:
        _invitation(visit.workspace)
    same_as("winnow list", "from winnow.api.inventory import inventory\nprint(inventory())")


def _invitation(workspace: Workspace) -> None:
    para("Teach a program to tell your pictures apart, and see how far it can be trusted. All on this machine.", "lead")
    with box("div", "columns"):
        with box("section", "card"):
            heading("Try it")
            para("Nothing is here yet. See how it goes with 1,797 small pictures of handwritten digits.")
            around = box("div")

            def begin() -> None:
                one = imports_of(workspace).of_example()
                around.clear()
                with around:
                    follow(one.work, partial(_onward, one))

            with around:
                button("Try the digits", begin, "main-action")
            running = next((one for one in imports_of(workspace).all() if one.work.is_running), None)
            if running is not None and running.named == "digits":
                begin()
        with box("section", "card"):
            heading("Bring your own")
            para("A folder with one folder for each class, a zip of it, or a table of paths and labels.")
            link("Import pictures", "/import", "button")


def _onward(one: Import) -> None:
    if one.work.outcome is None:
        para(one.work.error, "notice wrong", role="alert")
    else:
        ui.navigate.to(f"/train/{quote(one.work.outcome.name)}")


def _datasets(records: list[dict[str, Any]]) -> None:
    with box("section", "card"):
        heading("Datasets")
        rows: list[list[Cell]] = [
            [
                partial(link, one["name"], f"/label/{quote(one['name'])}"),
                f"{one['pictures']:,}",
                f"{one['classes']:,}",
                str(one["version"]),
                partial(_next_steps, one["name"]),
            ]
            for one in records
        ]
        table("What there is to learn from", ("Name", "Pictures", "Classes", "Version", "What to do with it"), rows)
        with box("p"):
            link("Import more pictures", "/import", "button")


def _next_steps(name: str) -> None:
    with box("div", "row"):
        for words, room in (("Label", "label"), ("Check", "health"), ("Train", "train")):
            link(words, f"/{room}/{quote(name)}", aria_label=f"{words} {name}")


def _models(records: list[dict[str, Any]]) -> None:
    current = [one for one in records if one["is_current"]]
    with box("section", "card"):
        heading("Models")
        if not current:
            para("None yet: choose Train beside a dataset.")
            return
        rows: list[list[Cell]] = [
            [
                partial(link, one["name"], f"/evaluate/{quote(one['name'])}"),
                f"{one['dataset']}, version {one['version']}",
                moment(one["created"]),
                partial(link, "Predict", f"/predict/{quote(one['name'])}", aria_label=f"Predict with {one['name']}"),
            ]
            for one in current
        ]
        table("The current ones", ("Name", "Learned from", "Made", "Use"), rows)


class _UnderWay:
    """Climbs and imports; drawn anew only where something changed, so that the keyboard is not moved for nothing."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._around = box("div")
        self._seen: object = ()
        ui.timer(_LOOK_EVERY_S, lambda: guarded(self.look), immediate=False)

    async def look(self) -> None:
        """Read what holds now."""
        climbs = await aside(_jobs, self._workspace)
        imports = [one for one in imports_of(self._workspace).all() if one.work.is_running]
        seen = [(job.id, job.state, job.model) for job in climbs], [one.number for one in imports]
        if seen == self._seen:
            return
        self._seen = seen
        self._around.clear()
        with self._around:
            if imports:
                _imports(imports)
            if climbs:
                _climbs(climbs)


def _jobs(workspace: Workspace) -> list[Job]:
    """Those under way or waiting, then the last few that are over."""
    newest = jobs(workspace)[::-1]
    return [job for job in newest if not job.is_over][::-1] + [job for job in newest if job.is_over][:_OVER_SHOWN]


def _imports(imports: list[Import]) -> None:
    with box("section", "card"):
        heading("Imports under way")
        with box("ul"):
            for one in imports:
                with box("li"):
                    link(f"{one.name}, from {one.said}", f"/import/{one.number}")


def _climbs(climbs: list[Job]) -> None:
    with box("section", "card"):
        heading("Climbs")
        at = now()
        rows: list[list[Cell]] = [
            [
                partial(link, f"{job.dataset}, climb {job.id}", f"/train/{quote(job.dataset)}/{job.id}"),
                state_in_words(job, None, before, at),
                "" if seconds is None else duration(seconds),
                partial(_outcome, job),
            ]
            for before, job in enumerate(climbs)
            for seconds in [took_s(job, at)]
        ]
        table("Under way, waiting, and the last that ended", ("Climb", "State", "Time", "Outcome"), rows)


def _outcome(job: Job) -> None:
    if job.model is not None:
        link(job.model, f"/evaluate/{quote(job.model)}")
    elif job.error is not None:
        text("span", job.error)


PAGE = Page("/", lambda _: "Winnow", build, room="Home")
