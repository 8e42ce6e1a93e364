"""One climb that was asked for, as those see it who watch it: its state, what it said, and the way to end it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from winnow.api.starting import start_if_needed
from winnow.events import Tell
from winnow.workspace.job_events import Told
from winnow.workspace.records import JobRecord, JobState
from winnow.workspace.workspace import Workspace

_LOOK_S = 0.5
"""Between two looks of one who watches."""


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

    def __init__(self, workspace: Workspace, record: JobRecord) -> None:
        self._workspace = workspace
        self._reader = workspace.jobs.read_events(record.id)
        self.id = record.id
        self.state: JobState = record.state
        self.dataset = record.dataset
        self.version = record.version
        self.wish: Mapping[str, Any] = record.wish
        self.created_at = record.created
        self.started_at = record.started
        self.heartbeat_at = record.heartbeat
        self.ended_at = record.ended
        self.attempts = record.attempts
        self.worker = None if record.host is None else f"{record.host}:{record.pid}"
        self.error = record.error
        self.climb = record.climb_id
        self.model = record.model

    @property
    def is_over(self) -> bool:
        """True once it is done, failed or stopped."""
        return self.state in ("done", "failed", "stopped")

    def refreshed(self) -> Job:
        """The same job as it stands now.

        Raises:
            NotFoundError: it went with its dataset.
        """
        return Job(self._workspace, self._workspace.jobs.find(self.id))

    def events(self, after: int = 0) -> list[Told]:
        """What it has said since event number `after`, in order; a `PlanMade` begins its ladder anew.

        Steps and progress are thinned to about two a second.
        """
        return self._reader.after(after)

    def watch(self, tell: Tell) -> Job:
        """Tell what it has said and goes on saying until it is over; the job at its end.

        Should its worker die, another one is started.
        """
        last = 0
        while True:
            job = self.refreshed()  # before its events: the last ones are written before it is over
            for told in self.events(last):
                tell(told.event)
                last = told.number
            if job.is_over:
                return job
            start_if_needed(self._workspace)
            time.sleep(_LOOK_S)

    def stop(self) -> Job:
        """End it and keep the best so far, as Ctrl-C does; a queued one is taken off. Harmless when it is over.

        It ends within seconds, not at once: watch its `state`.
        """
        record = self._workspace.jobs.ask_to_stop(self.id)
        start_if_needed(self._workspace)  # a dead worker's job: somebody has to make a model of what it finished
        return Job(self._workspace, record)

    def again(self) -> Job:
        """Ask for the same once more: a new job, with the same wish on the same version."""
        record = self._workspace.jobs.add(self.dataset, self.version, self.wish)
        start_if_needed(self._workspace)
        return Job(self._workspace, record)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON; times as ISO 8601 in UTC."""
        shown = ("id", "state", "dataset", "version", "wish", "attempts", "worker", "error", "climb", "model")
        times = ("created_at", "started_at", "heartbeat_at", "ended_at")
        at = {name: getattr(self, name) for name in times}
        return {
            **{name: getattr(self, name) for name in shown},
            **{name: None if moment is None else moment.isoformat() for name, moment in at.items()},
        }
