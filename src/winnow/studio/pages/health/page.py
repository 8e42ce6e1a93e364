"""Health: the check of a dataset's newest version while it runs, then what it found."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from nicegui import ui

from winnow.api.dataset import Dataset
from winnow.api.health import Health
from winnow.data.health.finding import SEVERITIES
from winnow.errors import NotFoundError
from winnow.report.words import capital, count, duration
from winnow.studio.answering import aside, say
from winnow.studio.checks import checks_of
from winnow.studio.live import follow
from winnow.studio.page import Page, Visit
from winnow.studio.pages.health.findings import draw_finding
from winnow.studio.pages.health.versions import draw_versions, last_change
from winnow.studio.parts import box, button, details, focus, heading, link, para, same_as, text
from winnow.workspace.workspace import Workspace


async def build(visit: Visit) -> None:
    """Checks at once if nobody has, and shows what was found."""
    ui.add_head_html('<link rel="stylesheet" href="/static/health/health.css">')
    name = visit.path["name"]
    view = _View(visit.workspace, name)
    await view.show()
    same_as(
        f"winnow check {shlex.quote(name)}",
        f"import winnow\nhealth = winnow.check({name!r})\nprint(health)\n"
        "# health.findings[0].fixes[0].edits is what winnow.load(...).edit() takes",
    )


class _View:
    """The part of the page that follows the newest version."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace = workspace
        self._name = name
        self._around = box("div")

    async def show(self, news: str = "") -> None:
        """Draw what holds now; called again after every change, with what was done."""
        data = await aside(_newest, self._workspace, self._name)
        versions = await aside(data.log)
        work = checks_of(self._workspace).begin(data)
        self._around.clear()
        with self._around:
            undo = last_change(data, self.show)
            if work.is_running:
                with box("section", "card"):
                    heading(f"Checking version {data.version}")
                    follow(work, self.show, stop="Stop the check")
                    para("You may leave this page: the check goes on, and this page shows it again.", "hint")
            elif work.outcome is None:
                self._stopped(work.error)
            else:
                self._found(data, work.outcome)
            versions_shown = draw_versions(data, versions, self.show)
            if news:
                say(news)
                focus(undo or versions_shown)  # the button that was pressed is gone

    def _stopped(self, error: str) -> None:
        with box("section", "card"):
            para(error or "The check was stopped.", "notice wrong" if error else "")
            button("Check again", self.show, "main-action")

    def _found(self, data: Dataset, health: Health) -> None:
        numbers = health.numbers
        with box("section", "card"):
            para(numbers.in_short(), "lead", role="status")
            judged = f" Labels were judged by a model on {numbers.features}." if numbers.features else ""
            para(
                f"Version {data.version}, {count(numbers.pictures, 'picture')}; checked in "
                f"{duration(numbers.seconds)}.{judged}",
                "hint",
            )
            with box("div", "row"):
                name = quote(data.name)
                link("Label", f"/label/{name}", "button")
                link("Train", f"/train/{name}", "button" if health.is_serious else "button main-action")
        for severity in SEVERITIES:
            findings = [finding for finding in health.findings if finding.severity == severity]
            if findings:
                with box("section", f"findings {severity.replace(' ', '-')}"):
                    heading(f"{capital(severity)} ({len(findings)})")
                    for finding in findings:
                        draw_finding(data, finding, self.show)
        if numbers.notes:
            with details("What could not be checked"), box("ul"):
                for note in numbers.notes:
                    text("li", note)


def _newest(workspace: Workspace, name: str) -> Dataset:
    record = workspace.find_dataset(name)
    if record.newest is None:
        raise NotFoundError(f"The dataset '{record.name}' has no pictures: its import was broken off. Import again.")
    return Dataset(workspace, record.name, record.newest.number)


PAGE = Page("/health/{name}", lambda visit: f"Health of {visit.path['name']}", build, room="Import")
