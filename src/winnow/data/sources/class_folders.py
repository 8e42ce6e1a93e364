"""A folder of class folders, with or without train/, val/ and test/ on top. Nothing is written there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from winnow.data.sources.layout import is_litter, place
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.errors import BadDataError


class ClassFolders:
    """`photos/cats/1.jpg` is a picture of the class cats."""

    name = "a folder with one folder for each class"

    def matches(self, source: object) -> bool:
        """Any folder."""
        return isinstance(source, Path) and source.is_dir()

    def find(self, source: Path, _options: ImportOptions) -> Iterator[Found | Refused]:
        """The files of all class folders, sorted by path; files beside them are refused.

        Raises:
            BadDataError: a folder may not be read.
        """
        paths = _files_below(source)
        for placed in place(paths):
            path = paths[placed.index]
            if placed.label is None:
                yield Refused(path, "E_NO_LABEL", "It lies in no class folder: move it into one, or ignore this.")
            else:
                yield Found(path, placed.label, placed.split, None, partial(_read, source / path))


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _files_below(root: Path) -> list[str]:
    """All files below `root`: sorted relative paths with forward slashes. Links are followed, not in circles."""
    files: list[str] = []
    seen = {os.path.realpath(root)}

    def stop(error: OSError) -> None:
        raise BadDataError(
            f"The folder {error.filename} cannot be read ({error.strerror}): change its rights and try again."
        ) from error

    for folder, below, names in os.walk(root, onerror=stop, followlinks=True):
        below[:] = [name for name in below if not is_litter(name) and _is_new(Path(folder, name), seen)]
        relative = Path(folder).relative_to(root)
        files += [(relative / name).as_posix() for name in names if not is_litter(name)]
    return sorted(files)


def _is_new(folder: Path, seen: set[str]) -> bool:
    if not folder.is_symlink():
        return True
    real = os.path.realpath(folder)
    is_new = real not in seen
    seen.add(real)
    return is_new
