"""A folder on this machine as a tree: walked without circles, read without ever waiting for a pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path

from winnow.data.regular_files import read_file, what_it_is
from winnow.data.sources.refused import Refused, RefusedSourceError
from winnow.data.sources.tree import MAX_DEPTH, is_litter
from winnow.errors import BadDataError
from winnow.events import Note

# A path takes about 150 bytes of memory. iNaturalist 2021, among the largest sets of pictures, has 2.7 million.
MAX_FILES = 3_000_000


class FolderTree:
    """A folder. Links are followed, not in circles. Nothing is written there.

    What cannot be entered or is no file (a pipe, a socket, a device, a broken link) is a line of `remarks`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder.absolute()

    @property
    def name(self) -> str:
        """The folder as the user wrote it."""
        return str(self._folder)

    @property
    def paths(self) -> Sequence[str]:
        """All files below.

        Raises:
            BadDataError: the folder itself may not be read.
            RefusedSourceError: E_ARCHIVE_ENTRIES, more files than fit into memory.
        """
        return self._walked[0]

    @property
    def remarks(self) -> Sequence[Refused | Note]:
        """One line for each folder that cannot be entered, and each thing that is no file; raises as `paths`."""
        return self._walked[1]

    @cached_property
    def _walked(self) -> tuple[Sequence[str], Sequence[Refused]]:
        files: list[str] = []
        refused: list[Refused] = []
        for item in _Walk(self._folder).items():
            if isinstance(item, str):
                files.append(item)
            else:
                refused.append(item)
            if len(files) + len(refused) > MAX_FILES:
                raise RefusedSourceError(
                    "E_ARCHIVE_ENTRIES",
                    f"{self._folder} holds more than {MAX_FILES} files: import a folder inside it.",
                )
        files.sort()
        return files, refused

    def reader(self, path: str) -> Callable[[], bytes]:
        """Reads from the disk."""
        return partial(read_file, f"{self._folder}/{path}")

    def picture(self, path: str) -> Callable[[], bytes]:
        """Reads from the disk, a large file only if it begins like a picture."""
        return partial(read_file, f"{self._folder}/{path}", is_picture=True)

    def file(self, path: str) -> Path | None:
        """Below the folder; absolute."""
        return self._root / path


class _Walk:
    """One walk through a folder, in the order of names, so that links are met in the same order every time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder.absolute()
        # Where links led so far. Each place is entered through a link once only, or links that point to folders
        # of links would multiply without end.
        self._linked = {os.path.realpath(folder)}
        self._ahead: list[str] = []

    def items(self) -> Iterator[str | Refused]:
        """Relative paths of files, in no order, and what is refused."""
        self._ahead.append("")
        while self._ahead:
            relative = self._ahead.pop()
            try:
                yield from self._look_into(relative)
            except OSError as error:
                if not relative:
                    raise BadDataError(
                        f"The folder {self._folder} cannot be read ({error.strerror}): change its rights and try again."
                    ) from error
                reason = f"The folder cannot be read ({error.strerror}): change its rights and import again."
                yield Refused(relative, "E_UNREADABLE", reason)

    def _look_into(self, relative: str) -> Iterator[str | Refused]:
        start = f"{relative}/" if relative else ""
        others: list[os.DirEntry[str]] = []
        with os.scandir(self._folder / relative) as entries:
            for entry in entries:
                if is_litter(entry.name):
                    continue
                if entry.is_file(follow_symlinks=False):
                    yield start + entry.name  # at once: a million of them in one folder would fill the memory
                else:
                    others.append(entry)
        for entry in sorted(others, key=lambda entry: entry.name):
            kind = self._kind(entry, start + entry.name)
            if kind == "file":
                yield start + entry.name
            elif kind == "folder":
                self._ahead.append(start + entry.name)
            elif kind is not None:
                yield kind

    def _kind(self, entry: os.DirEntry[str], path: str) -> Refused | str | None:
        """ "file", "folder", why it is neither, or None for a link to where we have been and for a workspace."""
        try:
            if entry.is_dir(follow_symlinks=False):
                return None if _is_workspace(entry.path) else self._depth(path)
            mode = entry.stat().st_mode  # of what a link points to
            if stat.S_ISREG(mode):
                return "file"
            if not stat.S_ISDIR(mode):
                return Refused(path, "E_SPECIAL_FILE", what_it_is(mode))
            real = os.path.realpath(entry.path)
        except FileNotFoundError:
            return Refused(path, "E_MISSING", "The link points to nothing: mend or remove it.")
        except OSError as error:  # a link that points to itself, or to where we may not look
            return Refused(path, "E_UNREADABLE", f"It cannot be looked at ({error.strerror}): check its rights.")
        if real in self._linked or _is_above(real, entry.path) or _is_workspace(real):
            return None
        self._linked.add(real)
        return self._depth(path)

    def _depth(self, path: str) -> Refused | str:
        if path.count("/") < MAX_DEPTH:
            return "folder"
        return Refused(path, "E_NAME", f"It lies {MAX_DEPTH} folders deep: move it further up.")


def _is_workspace(folder: str) -> bool:
    """Is this one of Winnow's own, with copies of pictures that would be taken for more of them?"""
    return Path(folder, "winnow.db").is_file()


def _is_above(folder: str, path: str) -> bool:
    """Does the link at `path` point to a folder that it lies in?"""
    inside = os.path.realpath(Path(path).parent)
    return inside == folder or inside.startswith(folder.rstrip(os.sep) + os.sep)
