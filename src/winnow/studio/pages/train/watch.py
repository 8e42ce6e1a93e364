"""One climb: the ladder while it grows, what is being done, how networks learn; at the end the verdict.

All of it comes from the job and its events: who comes back later sees what who stayed sees.
"""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from winnow.api.jobs import Job, Told, find_job, jobs
from winnow.api.model import Model
from winnow.api.rungs import rung_titles
from winnow.api.wish import Wish
from winnow.data.manifest import Task
from winnow.errors import NotFoundError, UserError
from winnow.metrics.families import DEFAULTS
from winnow.report.schema import Report
from winnow.studio.answering import aside, guarded
from winnow.studio.page import Page, Visit
from winnow.studio.pages.train.ladder import LadderView
from winnow.studio.pages.train.learning import LearningView
from winnow.studio.pages.train.lines import command_line, python_lines
from winnow.studio.pages.train.outcome import show_outcome
from winnow.studio.pages.train.status import StatusView
from winnow.studio.pages.train.story import Story
from winnow.studio.parts import box, heading, link, same_as, text
from winnow.workspace.workspace import Workspace

EVERY_S = 1.0


async def build(visit: Visit) -> None:
    """The climb as it stands; while it is under way the page looks again every second."""
    ui.add_head_html('<link rel="stylesheet" href="/static/train/train.css">')
    ui.add_head_html('<link rel="stylesheet" href="/drawings/ladder.css">')
    ui.add_head_html('<link rel="stylesheet" href="/drawings/chart.css">')
    job, task = await aside(_find, visit.workspace, visit.path["name"], visit.path["job"])
    titles = await aside(rung_titles, task)
    await ClimbView(visit.workspace, job, task, Story(titles)).keep_looking()
    with box("p"):
        link(f"Train {job.dataset} once more", f"/train/{quote(job.dataset)}")
        text("span", " · ")
        link("All climbs", "/train")
    wish = Wish.from_json(job.wish)
    same_as(command_line(job.dataset, wish), python_lines(job.dataset, wish))


class ClimbView:
    """Everything of one climb that changes while it runs."""

    def __init__(self, workspace: Workspace, job: Job, task: Task, story: Story) -> None:
        self._workspace, self._job, self._story = workspace, job, story
        self._said = job  # whose reader remembers how far it has read
        self._is_finished = False
        metric = job.wish.get("optimise") or DEFAULTS[task]
        self._status = StatusView(self._look)
        self._end = box("section", "card")
        self._end.set_visibility(False)
        self._ladder = LadderView(metric, task)
        self._learning = LearningView()
        with box("section", "card") as self._notes:
            heading("To know")
            self._listed = box("ul")
        self._n_notes = 0
        self._timer: ui.timer | None = None

    async def keep_looking(self) -> None:
        """Show it, now and until it is over."""
        await self._look()
        if not self._job.is_over:
            self._timer = ui.timer(EVERY_S, lambda: guarded(self._look), immediate=False)

    async def _look(self) -> None:
        if self._is_finished:
            return
        self._job, said, before = await aside(self._read)
        if self._end.is_deleted:  # the page was left meanwhile
            return
        has_news = self._story.hear(said)
        self._status.show(self._job, self._story, before)
        if has_news:
            self._ladder.show(self._story)
            self._learning.show(self._story.lessons)
        self._show_notes()
        if self._job.is_over and not self._is_finished:
            self._is_finished = True
            await self._finish()

    def _read(self) -> tuple[Job, list[Told], int]:
        """In a thread: the job as it stands, what it has said since, and how many climbs come before it."""
        job = self._job.refreshed()  # before its events: the last ones are written before it is over
        others = jobs(self._workspace) if job.state == "queued" else []
        before = sum(not one.is_over and one.id < job.id for one in others)
        return job, self._said.events(self._story.last), before

    def _show_notes(self) -> None:
        self._notes.set_visibility(bool(self._story.notes))
        with self._listed:
            for note in self._story.notes[self._n_notes :]:
                text("li", ("Caution: " if note.is_warning else "") + note.text)
        self._n_notes = len(self._story.notes)

    async def _finish(self) -> None:
        if self._timer is not None:
            self._timer.deactivate()
        report = await aside(_report, self._workspace, self._job)
        self._end.set_visibility(True)
        with self._end:
            show_outcome(self._job, report)
        self._ladder.conclude(self._story, report)


def _find(workspace: Workspace, name: str, number: str) -> tuple[Job, Task]:
    if not number.isdecimal() or len(number) > 18:  # the database counts to 2**63
        raise NotFoundError(f"No climb has the number '{number[:20]}'. The page Train lists all climbs.")
    job = find_job(int(number), workspace)
    if job.dataset.casefold() != name.casefold():
        raise NotFoundError(
            f"Climb {number} is one on '{job.dataset}', not on '{name}'. The page Train lists all climbs."
        )
    return job, workspace.manifest(job.dataset, job.version).task


def _report(workspace: Workspace, job: Job) -> Report | None:
    """Of the model that came of it; None: none did, or it was removed."""
    if job.model is None:
        return None
    try:
        return Model.open(job.model, workspace).report.numbers
    except UserError:
        return None


def _title(visit: Visit) -> str:
    return f"Climb {visit.path['job']} on {visit.path['name']}"


PAGE = Page("/train/{name}/{job}", _title, build, room="Train")
