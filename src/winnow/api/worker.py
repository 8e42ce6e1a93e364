"""The process that works a workspace's jobs off, one after the other: `python -m winnow.api.worker FOLDER`.

It has a session of its own, so that neither a closed terminal nor a stopped studio ends it. There is at most one a
workspace and machine; it leaves when nothing has waited for a few seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from winnow.api.heartbeat import Heartbeat
from winnow.errors import UserError
from winnow.events import tell_nobody
from winnow.workspace.claim import Claim
from winnow.workspace.records import JobRecord
from winnow.workspace.workspace import Workspace

IDLE_S = 5.0
"""So long a worker waits for the next job before it leaves."""
_POLL_S = 0.3


def work(workspace: Workspace, *, idle_s: float = IDLE_S) -> None:
    """Work the jobs off until none has waited for `idle_s` seconds; returns at once where another worker is at work.

    Raises:
        SystemExit: this process was asked to leave; the job at hand waits again.
    """
    claim = _claim_patiently(workspace.jobs.folder)
    while claim is not None:
        _work_off(workspace, idle_s)
        claim.release()
        # Who asked for a job just now has seen us alive and started nobody.
        claim = Claim.take(workspace.jobs.folder) if workspace.jobs.has_work() else None


def _work_off(workspace: Workspace, idle_s: float) -> None:
    last = time.monotonic()
    while True:
        record = workspace.jobs.take()
        if record is not None:
            _run(workspace, record)
            last = time.monotonic()
        elif time.monotonic() - last >= idle_s:
            return
        else:
            time.sleep(_POLL_S)


def _run(workspace: Workspace, record: JobRecord) -> None:
    _log(f"job {record.id}: a climb on {record.dataset} version {record.version}, attempt {record.attempts}")
    with Heartbeat(workspace.jobs, record.id, lambda: None):
        # Takes seconds to import: whoever watches sees meanwhile that the job is taken up and its process lives.
        from winnow.api.dataset import Dataset
        from winnow.api.recording import run_job

    try:
        data = Dataset(workspace, record.dataset, record.version)
        model = run_job(data, record, tell_nobody, is_worker=True)
    except KeyboardInterrupt:
        _log(f"job {record.id}: stopped")
    except UserError as error:
        _log(f"job {record.id}: {error}")
    except Exception:  # one job's failure must not cost the others; the job says what it was
        _log(f"job {record.id}: {traceback.format_exc()}")
    else:
        _log(f"job {record.id}: {model.full_name}")


def _claim_patiently(folder: Path) -> Claim | None:
    """Who looks whether somebody is at work holds the claim for a moment: ask more than once."""
    for _ in range(10):
        claim = Claim.take(folder)
        if claim is not None:
            return claim
        time.sleep(0.05)
    return None


def _log(sentence: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {os.getpid()} {sentence}", flush=True)


def _main() -> None:
    # A shell that starts programs in the background may have told them to ignore Ctrl-C, by which jobs are stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Workspace.open(Path(sys.argv[1])) as workspace:
        try:
            work(workspace)
        except SystemExit:
            workspace.close()
            os._exit(128 + signal.SIGTERM)  # threads that are half through a fit would keep us for all of it


if __name__ == "__main__":
    _main()
