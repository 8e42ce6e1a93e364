"""How a climb stands, in words."""

from __future__ import annotations

from datetime import datetime

from winnow.api.jobs import Job
from winnow.report import words
from winnow.studio.pages.train.story import Story

SILENT_S = 8.0
"""A process that has not said for so long that it lives may be lost; it says so every 2 s."""


def is_silent(job: Job, at: datetime) -> bool:
    """Whether nothing was heard from the process that climbs for longer than usual."""
    is_under_way = job.state in ("running", "stopping") and job.heartbeat_at is not None
    return is_under_way and job.heartbeat_at is not None and (at - job.heartbeat_at).total_seconds() > SILENT_S


def took_s(job: Job, at: datetime) -> float | None:
    """Seconds since somebody took it up, until it ended; None: nobody has."""
    return None if job.started_at is None else max(0.0, ((job.ended_at or at) - job.started_at).total_seconds())


def state_in_words(job: Job, story: Story | None, before: int, at: datetime) -> str:
    """One line: what happens with it.

    Args:
        job: as it stands.
        story: what it has said; None: not looked at.
        before: climbs that come before it, where it waits.
        at: now.
    """
    if is_silent(job, at):
        return "its process says nothing; if it is lost, another one goes on from there"
    if job.state == "queued":
        return (
            f"waits until {words.count(before, 'climb')} before it {'is' if before == 1 else 'are'} over"
            if before
            else "about to start"
        )
    if job.state == "stopping":
        return "stopping; the best so far is kept"
    if job.state == "running":
        return doing_in_words(story) if story is not None else "running"
    if job.state == "stopped":
        return "stopped; the best so far was kept" if job.model else "stopped before there was anything to keep"
    return job.state


def doing_in_words(story: Story) -> str:
    """What a running climb is doing, as the beginning of a sentence in small letters."""
    one = story.at_work
    if one is not None:
        place = f" (method {_place(story)} of {len(story.tries)})" if story.plan is not None else ""
        return f"trying {one.title}{place}"
    if story.is_past_rungs:
        return story.doing.what if story.doing is not None else "measuring the chosen model"
    following = story.planned
    return f"getting ready for {following[0].title}" if following else "getting ready"


def _place(story: Story) -> int:
    return sum(one.state == "over" for one in story.tries.values()) + 1
