"""Sees to it that somebody works: starts a workspace's worker where a job waits for one."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from winnow.data.whole_files import disk_errors
from winnow.workspace.claim import is_claimed
from winnow.workspace.workspace import Workspace

# -P: a file in the current folder must not pass for a module.
_WORKER = ("-P", "-m", "winnow.api.worker")
_LONGEST_LOG = 1 << 20
_started: dict[Path, subprocess.Popen[bytes]] = {}
_guard = threading.Lock()


def start_if_needed(workspace: Workspace) -> bool:
    """Start a worker if a job waits, or has lost its worker, and no worker is at work here; True if one was started.

    Raises:
        WorkspaceError: the log cannot be written.
    """
    with _guard:
        earlier = _started.get(workspace.folder)
        # One that we started may still be on its way to its claim; asking also buries it once it has ended.
        if earlier is not None and earlier.poll() is None:
            return False
        if is_claimed(workspace.jobs.folder) or not workspace.jobs.has_work():
            return False
        _started[workspace.folder] = _start(workspace)
        return True


def _start(workspace: Workspace) -> subprocess.Popen[bytes]:
    log = workspace.jobs.log
    with disk_errors("write", log):
        is_long = log.is_file() and log.stat().st_size > _LONGEST_LOG
        file = log.open("wb" if is_long else "ab")
    with file:
        return subprocess.Popen(
            [sys.executable, *_WORKER, str(workspace.folder)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
