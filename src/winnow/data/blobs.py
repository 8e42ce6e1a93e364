"""The workspace's copies of files, named by content: equal files are kept once, damage is noticed."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from pathlib import Path

from winnow.data.whole_files import disk_errors, make_names_durable, write_whole
from winnow.errors import WorkspaceError


class BlobStore:
    """Files by the SHA-256 of their content; many threads and processes may write at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._known_folders: set[Path] = set()
        self._new: list[Path] = []
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """Keep `data` and give its name (SHA-256, hex). Call `flush` before anything durable names it.

        Raises:
            WorkspaceError: no space, no permission.
        """
        content = hashlib.sha256(data).hexdigest()
        path = self.path(content)
        if _has_size(path, len(data)):
            return content
        with disk_errors("write", path):
            if path.parent not in self._known_folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._known_folders.add(path.parent)
            write_whole(path, data, is_durable=False)
        with self._lock:
            self._new.append(path)
        return content

    def read(self, content: str) -> bytes:
        """The bytes of `content`, checked against their name.

        Raises:
            WorkspaceError: the copy is missing, unreadable or damaged.
        """
        path = self.path(content)
        try:
            with disk_errors("read", path):
                data = path.read_bytes()
        except WorkspaceError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise WorkspaceError(
                    f"The workspace's copy {path} is missing: import the dataset again to restore it."
                ) from error
            raise
        if hashlib.sha256(data).hexdigest() != content:
            raise WorkspaceError(
                f"The workspace's copy {path} is damaged (its content does not match its name): "
                "delete this file and import the dataset again."
            )
        return data

    def path(self, content: str) -> Path:
        """Where `content` lies or would lie."""
        return self.folder / content[:2] / content

    def has(self, content: str) -> bool:
        """Is `content` there?"""
        return self.path(content).is_file()

    def flush(self) -> None:
        """Wait until the disk holds all that was put, so that it survives a power cut.

        Raises:
            WorkspaceError: the disk refused.
        """
        with self._lock:
            new, self._new = self._new, []
        if not new:
            return
        with disk_errors("write", self.folder):
            # On Linux one sync waits for all files at once, where file by file takes milliseconds each.
            # Elsewhere sync does not wait, or does not exist.
            if sys.platform == "linux":
                os.sync()
                return
            for path in new:
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
            for folder in {path.parent for path in new}:
                make_names_durable(folder)


def _has_size(path: Path, size: int) -> bool:
    # A power cut before `flush` may leave a name with an empty file: it is written anew, not trusted.
    try:
        return path.stat().st_size == size
    except OSError:
        return False
