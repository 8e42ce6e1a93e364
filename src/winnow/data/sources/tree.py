"""A folder, or an archive read as if it were one: the ground every layout stands on. Nothing is ever extracted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from winnow.errors import BadDataError

_LITTER = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "icon\r"}


class Tree(Protocol):
    """Files by relative path."""

    @property
    def name(self) -> str:
        """As the user knows it, for messages."""
        ...

    @property
    def paths(self) -> Sequence[str]:
        """All files: sorted relative paths with forward slashes, without litter."""
        ...

    def reader(self, path: str) -> Callable[[], bytes]:
        """What reads a file of `paths`: raises UnreadablePictureError or OSError; called from any thread."""
        ...

    def file(self, path: str) -> Path | None:
        """The file on this machine, where it lies there by itself."""
        ...


def is_litter(name: str) -> bool:
    """Is this a file or folder that Windows, a Mac, or a hidden tool left, not the user?"""
    return name.startswith(".") or name.casefold() in _LITTER


class FolderTree:
    """A folder on this machine. Links are followed, not in circles. Nothing is written there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder as the user wrote it."""
        return str(self._folder)

    @property
    def paths(self) -> Sequence[str]:
        """All files below; raises BadDataError where a folder may not be read."""
        return self._paths

    @cached_property
    def _paths(self) -> Sequence[str]:
        files: list[str] = []
        seen = {os.path.realpath(self._folder)}

        def stop(error: OSError) -> None:
            raise BadDataError(
                f"The folder {error.filename} cannot be read ({error.strerror}): change its rights and try again."
            ) from error

        for folder, below, names in os.walk(self._folder, onerror=stop, followlinks=True):
            below[:] = [name for name in below if not is_litter(name) and _is_new(Path(folder, name), seen)]
            relative = Path(folder).relative_to(self._folder).as_posix()
            start = "" if relative == "." else f"{relative}/"
            files += [start + name for name in names if not is_litter(name)]
        return sorted(files)

    def reader(self, path: str) -> Callable[[], bytes]:
        """Reads from the disk."""
        return partial(_read, self._folder / path)

    def file(self, path: str) -> Path | None:
        """Below the folder."""
        return self._folder / path


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _is_new(folder: Path, seen: set[str]) -> bool:
    if not folder.is_symlink():
        return True
    real = os.path.realpath(folder)
    is_new = real not in seen
    seen.add(real)
    return is_new
