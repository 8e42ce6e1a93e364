"""Climbs that run by themselves: put one into the queue, watch it from anywhere, stop it and keep the best so far.

A climb runs in a process of its own (`winnow.api.worker`), which outlives the studio and the terminal that asked for
it. What it is, how far it got and what it said stands in the workspace, so that anybody may look, also later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from winnow.api.dataset import Dataset, dataset_named
from winnow.api.job import Job
from winnow.api.starting import start_if_needed
from winnow.events import Tell
from winnow.workspace.job_events import Told
from winnow.workspace.workspace import Workspace

if TYPE_CHECKING:
    from winnow.api.model import Model
    from winnow.api.wish import Wish
    from winnow.ladder.plan import PlannedRung

__all__ = ["Job", "Plan", "Told", "enqueue", "ensure_worker", "estimate", "find_job", "jobs", "submit", "train_here"]

# What climbs takes seconds to import; who only looks at jobs needs none of it, so the functions that do import it.


@dataclass(frozen=True, slots=True)
class Plan:
    """What a climb would do, before it does it: every rung in the ladder's order."""

    rungs: tuple[PlannedRung, ...]
    """With `rung`, `title`, `seconds` (None: it cannot pay) and `skipped`: why it would not be tried, else None."""
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
    from winnow.api.wish import Wish

    wish = Wish.checked(
        budget=budget,
        seed=seed,
        optimise=optimise,
        prefer=prefer,
        rungs=rungs,
        backbone=backbone,
        name=name,
        open_test=open_test,
    )
    return enqueue(_dataset(dataset, workspace), wish)


def enqueue(dataset: Dataset, wish: Wish) -> Job:
    """`submit` with its arguments checked.

    Raises:
        NotFoundError: no such rung or metric for this dataset's task, or no such backbone.
    """
    waits = wish.to_wait(dataset.manifest.task, dataset.workspace)
    record = dataset.workspace.jobs.add(dataset.name, dataset.version, waits.as_json())
    start_if_needed(dataset.workspace)
    return Job(dataset.workspace, record)


def train_here(dataset: Dataset, wish: Wish, *, tell: Tell) -> Model:
    """`winnow.train` in this process, seen by all as a job; where the same was asked for and its worker died, that one.

    Must be called in the main thread, which alone can be stopped. Errors: as `winnow.train`.
    """
    from winnow.api.recording import run_job

    waits = wish.to_wait(dataset.manifest.task, dataset.workspace)
    record = dataset.workspace.jobs.add_or_resume_here(dataset.name, dataset.version, waits.as_json())
    return run_job(dataset, record, tell, is_worker=False)


def jobs(workspace: str | Path | Workspace | None = None) -> list[Job]:
    """All jobs of a workspace, oldest first: those under way, those that wait, those that are over."""
    opened = _opened(workspace)
    return [Job(opened, record) for record in opened.jobs.all()]


def find_job(job_id: int, workspace: str | Path | Workspace | None = None) -> Job:
    """The job of that id.

    Raises:
        NotFoundError: there is none.
    """
    opened = _opened(workspace)
    return Job(opened, opened.jobs.find(job_id))


def ensure_worker(workspace: str | Path | Workspace | None = None) -> bool:
    """Start a worker if a job waits, or lost its worker, and nobody is at work; True if one was started.

    Call it every few seconds while somebody watches: it costs a short read where nothing is to be done.
    """
    return start_if_needed(_opened(workspace))


def estimate(dataset: Dataset, wish: Wish) -> Plan:
    """What a climb would try, how long it would take, and what it would skip and why.

    Takes seconds where pictures are many: call it off the event loop.

    Raises:
        BadDataError: nothing can be learned from the dataset.
        NotFoundError: no such rung or metric for its task, or no such backbone.
    """
    from winnow.api.training import plan_on

    planned = plan_on(dataset, wish)
    total_s = sum(one.seconds or 0.0 for one in planned if one.skipped is None)
    return Plan(tuple(planned), total_s, wish.budget_s)


def _dataset(dataset: str | Dataset, workspace: str | Path | Workspace | None) -> Dataset:
    return dataset if isinstance(dataset, Dataset) else dataset_named(_opened(workspace), dataset)


def _opened(workspace: str | Path | Workspace | None) -> Workspace:
    if isinstance(workspace, Workspace):
        return workspace
    return Workspace.open(None if workspace is None else Path(workspace).expanduser())
