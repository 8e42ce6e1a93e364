"""A job's process says that it lives, and hears whether somebody asks it to stop."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from winnow.errors import NotFoundError, WorkspaceError
from winnow.workspace.jobs import JobStore

BEAT_S = 2.0
"""Between two heartbeats; a fifth of the lease."""
_LOOK_S = 0.5
"""Between two looks whether somebody asked to stop."""


class Heartbeat:
    """While this context lasts, a thread writes the heartbeat of a job that this process has.

    Args:
        jobs: of the workspace.
        job_id: the job.
        on_stop: called once, from that thread, when somebody has asked the job to stop.
    """

    def __init__(self, jobs: JobStore, job_id: int, on_stop: Callable[[], None]) -> None:
        self._jobs, self._id, self._on_stop = jobs, job_id, on_stop
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="winnow-heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _live(self) -> None:
        beaten, has_stopped = time.monotonic(), False
        while not self._is_over.wait(_LOOK_S):
            # A busy database: the next beat says it as well. A job that is gone: its dataset was removed by hand.
            with contextlib.suppress(WorkspaceError, NotFoundError):
                if time.monotonic() - beaten >= BEAT_S:
                    self._jobs.beat(self._id)
                    beaten = time.monotonic()
                if self._jobs.find(self._id).state == "stopping" and not has_stopped:
                    has_stopped = True
                    self._on_stop()
