"""The part of a climb's page that says what is being done, how far it is, and lets one end it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from nicegui import ui

from winnow.api.jobs import Job
from winnow.report import words
from winnow.studio.answering import aside
from winnow.studio.live import progress_in_words
from winnow.studio.moments import moment, now
from winnow.studio.pages.train.climbs import address
from winnow.studio.pages.train.states import is_silent, state_in_words, took_s
from winnow.studio.pages.train.story import Story
from winnow.studio.parts import box, button, focus, para


class StatusView:
    """What happens now.

    Args:
        look: looks at the job again, after something was done with it.
    """

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._job: Job | None = None
        with box("section", "card", tabindex=-1, aria_label="How it stands") as self._section:
            # Read aloud when it changes; what changes every second stands below.
            self._state = para("", "lead", role="status")
            self._bar = box("progress", max=1, aria_label="The whole climb")
            self._detail = para("", "hint")
            self._times = para("")
            self._history = para("", "hint")
            with box("div", "row"):
                self._stop = button("Stop, keep the best so far", self._end, id="stop")
                self._again = button("Ask for the same again", self._repeat, id="again")

    def show(self, job: Job, story: Story, before: int) -> None:
        """How it stands now."""
        self._job = job
        at = now()
        is_under_way = job.state in ("running", "stopping")
        self._state.text = _sentence(job, story, before, at)
        self._detail.text = progress_in_words(story.doing) if is_under_way and story.doing is not None else ""
        self._detail.set_visibility(bool(self._detail.text))
        self._times.text = _times(job, story, at)
        self._history.text = _history(job)
        self._history.set_visibility(bool(self._history.text))
        self._bar.set_visibility(is_under_way)
        self._show_share(story, at)
        self._stop.text = "Take it off the queue" if job.state == "queued" else "Stop, keep the best so far"
        self._stop.set_visibility(job.state in ("queued", "running"))
        self._again.set_visibility(job.is_over)

    def _show_share(self, story: Story, at: datetime) -> None:
        left = story.left_s(at)
        if left is None:
            self._bar.props.pop("value", None)  # an endless bar: nobody knows yet
        else:
            self._bar.props["value"] = round(story.share_done(at), 3)

    async def _end(self) -> None:
        if self._job is not None:
            await aside(self._job.stop)
            focus(self._section)  # the button goes
            await self._look()

    async def _repeat(self) -> None:
        if self._job is not None:
            ui.navigate.to(address(await aside(self._job.again)))


def _sentence(job: Job, story: Story, before: int, at: datetime) -> str:
    if is_silent(job, at):
        return (
            "Nothing is heard from the process that climbs. If it is lost, another one takes over within seconds and "
            "goes on from where it was."
        )
    return f"{words.capital(state_in_words(job, story, before, at))}."


def _times(job: Job, story: Story, at: datetime) -> str:
    seconds = took_s(job, at)
    if seconds is None:
        return f"Asked for on {moment(job.created_at)}."
    if job.is_over:
        return f"It took {words.duration(seconds)}, until {moment(job.ended_at or at)}."
    said = f"{words.duration(seconds)} so far"
    left = story.left_s(at)
    if story.plan is None or left is None:
        return f"{said}."
    estimated = f"; {words.duration(story.plan.total_s)} were estimated."
    if story.is_past_rungs or left < 1:
        return f"{said}, a few seconds left{estimated}"
    return f"{said}, about {words.duration(left)} left{estimated}"


def _history(job: Job) -> str:
    if job.attempts <= 1:
        return ""
    lost = "once" if job.attempts == 2 else f"{job.attempts - 1} times"
    return f"Its process was lost {lost}; the climb went on with what it had finished."
