"""Browsers that came in by the link: they stay signed in when the studio is closed and started again.

A session is a file, named after the hash of its cookie's value: who reads the workspace learns no value, several
studios may share the folder, and a session ends when its file is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

LASTS_S = 30 * 24 * 3600.0
"""From signing in on; then the link is needed again."""


class Sessions:
    """Those of a workspace.

    Args:
        folder: made when the first browser comes in, readable by its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unkept: set[str] = set()
        """Begun while the disk refused files: known until the studio is closed."""

    def begin(self) -> str:
        """A new one; gives the value of its cookie."""
        value = secrets.token_urlsafe(32)
        name = _hashed(value)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove(lambda path: _age_s(path) > LASTS_S)
            os.close(os.open(self._folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError:
            self._unkept.add(name)
        return value

    def knows(self, value: str) -> bool:
        """Whether a cookie's value was given here, and not too long ago."""
        name = _hashed(value)
        try:
            return name in self._unkept or _age_s(self._folder / name) <= LASTS_S
        except OSError:
            return False

    def end_all(self) -> None:
        """Let every browser need the link again, those of other studios on this workspace, too."""
        self._unkept.clear()
        self._remove(lambda _: True)

    def _remove(self, is_over: Callable[[Path], bool]) -> None:
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                if is_over(path):
                    path.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _hashed(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
