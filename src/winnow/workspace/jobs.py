"""Jobs: climbs that wait for a process, and the lease of the process that has one.

A worker says every few seconds that it lives. Where it does not, and the system has let go of its lock (`claim.py`),
it is dead, and another one may take its job: a merely slow worker keeps its lock and is never doubled.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from winnow.errors import NotFoundError
from winnow.workspace.claim import Claim, is_claimed
from winnow.workspace.database import Database
from winnow.workspace.datasets import require
from winnow.workspace.job_events import EventReader, EventWriter
from winnow.workspace.records import JobRecord, JobState
from winnow.workspace.tables import datasets, jobs

LEASE_S = 10.0
"""So long after its last heartbeat a worker on another machine is taken for dead. Here, its lock says so at once."""
MOST_ATTEMPTS = 3
"""A job that has brought down so many workers would bring down the next."""
_TAKEN = ("running", "stopping")


class JobStore:
    """The jobs of one workspace, behind `Workspace.jobs`; each has a folder for what it says.

    Args:
        database: of the workspace.
        folder: for the jobs' own folders.
        clock: the time, in UTC.
    """

    def __init__(
        self, database: Database, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.folder = folder
        self._database = database
        self._clock = clock
        self._claims: dict[int, Claim] = {}
        self._host, self._pid = socket.gethostname(), os.getpid()

    @property
    def log(self) -> Path:
        """What workers and the libraries in them write to the terminal that they do not have."""
        return self.folder / "worker.log"

    # Asking

    def add(self, dataset: str, version: int, wish: Mapping[str, Any]) -> JobRecord:
        """A new job at the end of the queue.

        Raises:
            NotFoundError: no such dataset.
        """
        with self._database.write() as connection:
            return self._add(connection, dataset, version, wish)

    def add_or_resume_here(self, dataset: str, version: int, wish: Mapping[str, Any]) -> JobRecord:
        """A job that this process works on from now on: one of that wish whose worker died, else a new one.

        Raises:
            NotFoundError: no such dataset.
        """
        with self._database.write() as connection:
            asked = (require(connection, dataset).id, version, _text(wish))
            for row in connection.execute(_all().where(jobs.c.state.in_(_TAKEN))):
                is_same = (row.dataset_id, row.version, row.wish) == asked
                if is_same and self._has_lost_its_worker(row) and self._claim(row.id):
                    return self._begin(connection, row)
            record = self._add(connection, dataset, version, wish)
            self._claim(record.id)
            return self._begin(connection, self._require(connection, record.id))

    def ask_to_stop(self, job_id: int) -> JobRecord:
        """Take a queued job off, or ask the worker of a running one to end; harmless where it is over.

        Raises:
            NotFoundError: no such job.
        """
        with self._database.write() as connection:
            row = self._require(connection, job_id)
            if row.state == "queued":
                return self._set(connection, job_id, state="stopped", ended=self._now())
            return self._set(connection, job_id, state="stopping") if row.state == "running" else self._record(row)

    # Working

    def take(self) -> JobRecord | None:
        """The oldest job that waits or has lost its worker, now this process's; None if there is none.

        A job that has brought down too many workers is not taken again: it has failed.
        """
        with self._database.write() as connection:
            for row in connection.execute(_all().where(jobs.c.state.in_(("queued", *_TAKEN)))).all():
                is_free = row.state == "queued" or self._has_lost_its_worker(row)
                if not (is_free and self._claim(row.id)):
                    continue
                if row.attempts < MOST_ATTEMPTS:
                    return self._begin(connection, row)
                self._end(connection, row.id, "failed", error=self._too_often(row))
        return None

    def beat(self, job_id: int) -> JobState | None:
        """Say that this process lives and works on the job; its state, or None where the job is another's by now."""
        with self._database.write() as connection:
            if not self._is_ours(connection, job_id):
                return None
            return self._set(connection, job_id, heartbeat=self._now()).state

    def end(
        self,
        job_id: int,
        state: JobState,
        *,
        error: str | None = None,
        climb_id: str | None = None,
        model: str | None = None,
    ) -> None:
        """Write down how the job ended and let go of it; nothing is written where it is another's by now."""
        try:
            with self._database.write() as connection:
                if self._is_ours(connection, job_id):
                    self._end(connection, job_id, state, error=error, climb_id=climb_id, model=model)
        finally:
            self._release(job_id)

    def give_back(self, job_id: int) -> None:
        """Put the job back into the queue: this process has to leave, through no fault of the job."""
        with self._database.write() as connection:
            if self._is_ours(connection, job_id):
                attempts = self._require(connection, job_id).attempts - 1
                self._set(connection, job_id, state="queued", attempts=attempts, host=None, pid=None)
        self._release(job_id)

    def write_events(self, job_id: int) -> EventWriter:
        """Where the one who works on the job writes what it says."""
        return EventWriter(self._folder_of(job_id))

    def release_all(self) -> None:
        """Let go of every job that this process has; one that has not ended can then be taken again."""
        for job_id in list(self._claims):
            self._release(job_id)

    # Looking

    def all(self) -> list[JobRecord]:
        """All jobs, oldest first."""
        with self._database.read() as connection:
            return [self._record(row) for row in connection.execute(_all())]

    def find(self, job_id: int) -> JobRecord:
        """The job of that id; NotFoundError if there is none."""
        with self._database.read() as connection:
            return self._record(self._require(connection, job_id))

    def read_events(self, job_id: int) -> EventReader:
        """What the job has said, for any number of readers."""
        return EventReader(self._folder_of(job_id))

    def has_work(self) -> bool:
        """True if a job waits or has lost its worker."""
        with self._database.read() as connection:
            rows = connection.execute(_all().where(jobs.c.state.in_(("queued", *_TAKEN)))).all()
        return any(
            row.state == "queued" or (self._has_lost_its_worker(row) and not is_claimed(self._folder_of(row.id)))
            for row in rows
        )

    # For removals

    def of_dataset(self, connection: Connection, dataset_id: int) -> list[Path]:
        """The folders of all jobs on a dataset."""
        ids = connection.scalars(select(jobs.c.id).where(jobs.c.dataset_id == dataset_id))
        return [self._folder_of(job_id) for job_id in ids]

    def _add(self, connection: Connection, dataset: str, version: int, wish: Mapping[str, Any]) -> JobRecord:
        asked = insert(jobs).values(
            kind="train",
            dataset_id=require(connection, dataset).id,
            version=version,
            wish=_text(wish),
            state="queued",
            created=self._now(),
        )
        key = connection.execute(asked).inserted_primary_key
        assert key is not None
        return self._record(self._require(connection, key[0]))

    def _begin(self, connection: Connection, row: Row[Any]) -> JobRecord:
        return self._set(
            connection,
            row.id,
            # Who died while it was asked to stop leaves a job that still is.
            state="stopping" if row.state == "stopping" else "running",
            started=row.started or self._now(),
            heartbeat=self._now(),
            host=self._host,
            pid=self._pid,
            attempts=row.attempts + 1,
        )

    def _end(self, connection: Connection, job_id: int, state: JobState, **facts: str | None) -> None:
        self._set(connection, job_id, state=state, ended=self._now(), **facts)

    def _has_lost_its_worker(self, row: Row[Any]) -> bool:
        """By the clock; whether its lock is free is asked by who wants it."""
        if row.host == self._host:
            return True
        return self._clock() - datetime.fromisoformat(row.heartbeat) > timedelta(seconds=LEASE_S)

    def _is_ours(self, connection: Connection, job_id: int) -> bool:
        row = connection.execute(select(jobs.c.host, jobs.c.pid, jobs.c.state).where(jobs.c.id == job_id)).first()
        is_leased = row is not None and row.state in _TAKEN and (row.host, row.pid) == (self._host, self._pid)
        return is_leased and job_id in self._claims

    def _too_often(self, row: Row[Any]) -> str:
        return (
            f"Its process died {row.attempts} times without a word (killed, or out of memory?), so it is not tried "
            f"again. Look into {self.log}, then start it again with fewer rungs or on a larger machine."
        )

    def _claim(self, job_id: int) -> bool:
        claim = Claim.take(self._folder_of(job_id))
        if claim is not None:
            self._claims[job_id] = claim
        return claim is not None

    def _release(self, job_id: int) -> None:
        claim = self._claims.pop(job_id, None)
        if claim is not None:
            claim.release()

    def _folder_of(self, job_id: int) -> Path:
        return self.folder / str(job_id)

    def _set(self, connection: Connection, job_id: int, **values: Any) -> JobRecord:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values))
        return self._record(self._require(connection, job_id))

    def _require(self, connection: Connection, job_id: int) -> Row[Any]:
        row = connection.execute(_all().where(jobs.c.id == job_id)).first()
        if row is None:
            raise NotFoundError(f"No job has the number {job_id}. See what is there: winnow jobs.")
        return row

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")

    def _record(self, row: Row[Any]) -> JobRecord:
        return JobRecord(
            id=row.id,
            dataset=row.dataset,
            version=row.version,
            wish=json.loads(row.wish),
            state=row.state,
            created=datetime.fromisoformat(row.created),
            started=_moment(row.started),
            heartbeat=_moment(row.heartbeat),
            ended=_moment(row.ended),
            host=row.host,
            pid=row.pid,
            attempts=row.attempts,
            error=row.error,
            climb_id=row.climb_id,
            model=row.model,
            folder=self._folder_of(row.id),
        )


def _all() -> Select[Any]:
    return select(jobs, datasets.c.name.label("dataset")).join(datasets).order_by(jobs.c.id)


def _text(wish: Mapping[str, Any]) -> str:
    return json.dumps(wish, sort_keys=True, allow_nan=False)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
