"""Climbs as tables: those under way and waiting, each with its way to end it, and those that are over."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from winnow.api.jobs import Job, jobs
from winnow.api.rungs import rung_titles
from winnow.report import words
from winnow.studio.answering import aside, guarded, say
from winnow.studio.moments import moment, now
from winnow.studio.pages.train.states import state_in_words, took_s
from winnow.studio.pages.train.story import Story
from winnow.studio.parts import box, button, focus, growing_table, heading, link, para, text
from winnow.workspace.workspace import Workspace

EVERY_S = 2.0
_OVER_SHOWN = 50


def address(job: Job) -> str:
    """The page of a climb."""
    return f"/train/{quote(job.dataset)}/{job.id}"


@dataclass
class _Row:
    element: ui.element
    said: TextElement
    took: TextElement
    ends: TextElement
    """The button that ends it."""


class Climbs:
    """The climbs of a workspace, or of one of its datasets; looks again while the page is open.

    Rows stay what they are while their words change, so that nobody's focus is lost.
    """

    def __init__(self, workspace: Workspace, dataset: str | None = None) -> None:
        self._workspace, self._dataset = workspace, dataset
        self._stories: dict[int, tuple[Job, Story]] = {}
        """Of those under way; the first job remembers how far it was read."""
        self._rows: dict[int, _Row] = {}
        self._over: set[int] = set()
        with box("section", "card", tabindex=-1, aria_labelledby="climbs") as self.element:
            heading("Climbs", id="climbs")
            self._nothing = para("None yet.", "hint")
            self._waiting_table, self._waiting = growing_table(
                "Under way and waiting", ("Climb", "Dataset", "Now", "Since", "End it"), "climbs"
            )
            self._over_table, self._done = growing_table(
                "Over", ("Climb", "Dataset", "How it ended", "When, and how long", "Model"), "climbs"
            )

    async def keep_looking(self) -> None:
        """Show them, now and from now on."""
        await self._look()
        ui.timer(EVERY_S, lambda: guarded(self._look), immediate=False)

    async def _look(self) -> None:
        found, said = await aside(self._read)
        if self.element.is_deleted:  # the page was left meanwhile
            return
        for one in found:
            if one.is_over:
                self._end(one, said.get(one.id, ""))
            elif one.id not in self._over:
                self._show(one, said[one.id])
        for gone in [job_id for job_id in self._rows if job_id not in {one.id for one in found}]:
            self._rows.pop(gone).element.delete()
        self._nothing.set_visibility(not found)
        self._waiting_table.set_visibility(bool(self._rows))
        self._over_table.set_visibility(bool(self._over))

    def _read(self) -> tuple[list[Job], dict[int, str]]:
        """In a thread: all climbs, and what is to be said of those that are under way or newly over."""
        everything = jobs(self._workspace)
        open_ones = [one for one in everything if not one.is_over]
        said: dict[int, str] = {}
        for place, one in enumerate(open_ones):
            story = self._story(one) if one.state == "running" else None
            said[one.id] = state_in_words(one, story, place, now())
        mine = [one for one in everything if self._dataset in (None, one.dataset)]
        over = [one for one in mine if one.is_over][-_OVER_SHOWN:]
        said.update(self._outcomes([one for one in over if one.id not in self._over]))
        return [*over, *(one for one in mine if not one.is_over)], said

    def _outcomes(self, over: list[Job]) -> dict[int, str]:
        """How these ended: what was chosen, or why nothing was."""
        verdicts = {
            climb.id: climb.verdict
            for dataset in {one.dataset for one in over if one.climb is not None}
            for climb in self._workspace.climbs(dataset)
        }
        said = {one.id: one.error or words.capital(state_in_words(one, None, 0, now())) for one in over}
        for one in over:
            verdict = verdicts.get(one.climb or "")
            if verdict:
                chosen = verdict.split(". ")[0].rstrip(".")
                said[one.id] = f"{chosen}." if one.state == "done" else f"{said[one.id]}. {chosen}."
        return said

    def _story(self, job: Job) -> Story:
        if job.id not in self._stories:
            task = self._workspace.manifest(job.dataset, job.version).task
            self._stories[job.id] = (job, Story(rung_titles(task)))
        first, story = self._stories[job.id]
        story.hear(first.events(story.last))
        return story

    def _show(self, job: Job, said: str) -> None:
        row = self._rows.get(job.id)
        if row is None:
            with self._waiting:
                row = self._rows[job.id] = self._row(job)
        seconds = took_s(job, now())
        row.said.text = words.capital(said)
        row.took.text = "–" if seconds is None else words.duration(seconds)
        row.ends.text = "Take it off" if job.state == "queued" else "Stop, keep the best"
        row.ends.set_visibility(job.state != "stopping")

    def _row(self, job: Job) -> _Row:
        with box("tr") as element:
            self._name(job)
            said, took = text("td", ""), text("td", "")

            async def end() -> None:
                ended = await aside(job.stop)
                focus(self.element)
                say(f"Climb {job.id} {'is off the queue' if ended.is_over else 'is stopping'}.")
                await self._look()

            with box("td"):
                ends = button("", end, "quiet", aria_describedby=f"climb-{job.id}")
        return _Row(element, said, took, ends)

    def _end(self, job: Job, said: str) -> None:
        """Put it on top of those that are over, once."""
        if job.id in self._over:
            return
        self._over.add(job.id)
        if job.id in self._rows:
            self._rows.pop(job.id).element.delete()
        seconds = took_s(job, now())
        with self._done, box("tr") as element:
            self._name(job)
            text("td", said)
            when = "" if job.ended_at is None else moment(job.ended_at)
            text("td", when if seconds is None else f"{when}, {words.duration(seconds)}")
            with box("td"):
                if job.model is None:
                    text("span", "–")
                else:
                    link(job.model, f"/evaluate/{quote(job.model)}")
        element.move(target_index=0)

    def _name(self, job: Job) -> None:
        with box("th", scope="row"):
            link(f"Climb {job.id}", address(job), id=f"climb-{job.id}")
        with box("td"):
            link(job.dataset, f"/train/{quote(job.dataset)}")
