"""Who is running this climb? A lock that the system itself lets go of when its holder dies.

`kill -9` leaves a climb in the state "running"; only the lock tells it from one that really runs, so that
it can be resumed, and never by two programs at once.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

_FILE = "running.lock"
# POSIX record locks know processes, not threads: within one process this set says what is taken.
_taken_here: set[str] = set()
_guard = threading.Lock()


class Claim:
    """The right to write in one climb's folder, held until `release` or the end of the process."""

    def __init__(self, key: str, descriptor: int) -> None:
        self._key = key
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, folder: Path) -> Claim | None:
        """The claim on `folder` (made if absent), or None if somebody alive holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        key = str((folder / _FILE).resolve())
        with _guard:
            if key in _taken_here:
                return None
            descriptor = os.open(key, os.O_RDWR | os.O_CREAT, 0o600)
            if not _lock(descriptor):
                os.close(descriptor)
                return None
            _taken_here.add(key)
        return cls(key, descriptor)

    def release(self) -> None:
        """Let go; harmless when repeated."""
        with _guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
                _taken_here.discard(self._key)


def is_claimed(folder: Path) -> bool:
    """True if somebody alive is running the climb in `folder`."""
    if not folder.is_dir():
        return False
    claim = Claim.take(folder)
    if claim is not None:
        claim.release()
    return claim is None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        # lockf, not flock: a forked worker that outlives its killed parent must not keep the climb claimed.
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
