"""Climbs that run by themselves: put one into the queue, watch it from anywhere, stop it and keep the best so far.

A climb runs in a process of its own (`winnow.api.worker`), which outlives the studio and the terminal that asked for
it. What it is, how far it got and what it said stands in the workspace, so that anybody may look, also later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from winnow.api.dataset import Dataset
from winnow.events import Event, Tell
from winnow.workspace.workspace import Workspace

JobState = Literal["queued", "running", "stopping", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a job: the running number counts from 1, also across restarts of its worker."""

    number: int
    at: datetime
    """In UTC."""
    event: Event


class Job:
    """One climb that was asked for, as it stood when this was read; `refreshed` reads it again.

    Attributes:
        id: a number, from 1.
        state: "queued", "running", "stopping" (asked to stop, not yet ended), then for good "done", "failed" or
            "stopped" (by somebody; `model` is the best so far, or None if there was none yet).
        dataset: its name.
        version: of the dataset.
        wish: what was asked for: the keywords of `submit` (budget in seconds), as JSON values.
        created_at: when it was asked for; all times in UTC.
        started_at: when a process first took it up; None: nobody has.
        heartbeat_at: when that process last said that it lives.
        ended_at: when it ended; None: it has not.
        attempts: how many times a process took it up; more than 1: an earlier one died.
        worker: "host:pid" of the process that has it, or had it last.
        error: why it failed, in a sentence; else None.
        climb: the id of its climb; None before it began.
        model: the full name ("clouds@2") of the model that came of it; None if there is none.
    """

    id: int
    state: JobState
    dataset: str
    version: int
    wish: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    ended_at: datetime | None
    attempts: int
    worker: str | None
    error: str | None
    climb: str | None
    model: str | None

    @property
    def is_over(self) -> bool:
        """True once it is done, failed or stopped."""
        raise NotImplementedError

    def refreshed(self) -> Job:
        """The same job as it stands now."""
        raise NotImplementedError

    def events(self, after: int = 0) -> list[Told]:
        """What it has said since event number `after`, in order; a `PlanMade` begins its ladder anew.

        Steps and progress are thinned to about two a second.
        """
        raise NotImplementedError

    def watch(self, tell: Tell, *, every_s: float = 0.5) -> Job:
        """Tell what it has said and goes on saying until it is over; the job at its end."""
        raise NotImplementedError

    def stop(self) -> Job:
        """End it and keep the best so far, as Ctrl-C does; a queued one is taken off. Harmless when it is over.

        It ends within seconds, not at once: watch its `state`.
        """
        raise NotImplementedError

    def again(self) -> Job:
        """Ask for the same once more: a new job, with the same wish on the same version."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class PlannedRung:
    """What a climb would do with one rung."""

    rung: str
    title: str
    seconds: float | None
    """Estimated, on this machine; None where it would be skipped at once."""
    skipped: str | None
    """Why it would not be tried; None if it would."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a climb would do, before it does it: every rung in the ladder's order."""

    rungs: tuple[PlannedRung, ...]
    total_s: float
    """Of those that would be tried; what they share counts once."""
    budget_s: float | None


def submit(
    dataset: str | Dataset,
    *,
    budget: str | float | None = None,
    seed: int = 0,
    optimise: str | None = None,
    prefer: str = "cheapest",
    rungs: Sequence[str] | None = None,
    backbone: str | Path | None = None,
    name: str | None = None,
    open_test: bool = True,
    workspace: str | Path | Workspace | None = None,
) -> Job:
    """Put a climb into the queue, and see to it that somebody works the queue off; returns at once.

    Args:
        dataset: a `Dataset`, or the name of one (its newest version).
        budget: as in `winnow.train`, like all that follow.
        seed: likewise.
        optimise: likewise.
        prefer: likewise.
        rungs: likewise.
        backbone: likewise.
        name: likewise.
        open_test: likewise.
        workspace: a folder; default: the dataset's, else WINNOW_WORKSPACE, else ~/.winnow.

    Raises:
        NotFoundError: no such dataset, rung, metric or backbone.
        UserError: another argument makes no sense; the sentence says which.
    """
    raise NotImplementedError


def jobs(workspace: str | Path | Workspace | None = None) -> list[Job]:
    """All jobs of a workspace, oldest first: those under way, those that wait, those that are over."""
    raise NotImplementedError


def find_job(job_id: int, workspace: str | Path | Workspace | None = None) -> Job:
    """The job of that id.

    Raises:
        NotFoundError: there is none.
    """
    raise NotImplementedError


def ensure_worker(workspace: str | Path | Workspace | None = None) -> bool:
    """Start a worker if a job waits, or lost its worker, and nobody is at work; True if one was started.

    Call it every few seconds while somebody watches: it costs a short read where nothing is to be done.
    """
    raise NotImplementedError


def estimate(
    dataset: str | Dataset,
    *,
    budget: str | float | None = None,
    seed: int = 0,
    optimise: str | None = None,
    rungs: Sequence[str] | None = None,
    backbone: str | Path | None = None,
    workspace: str | Path | Workspace | None = None,
) -> Plan:
    """What a climb with these arguments would try, how long it would take, and what it would skip and why.

    Takes seconds where pictures are many: call it off the event loop.

    Raises:
        BadDataError: nothing can be learned from the dataset.
        NotFoundError: no such dataset, rung, metric or backbone.
        UserError: another argument makes no sense.
    """
    raise NotImplementedError
