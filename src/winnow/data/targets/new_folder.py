"""A folder that is there whole or not at all: written under another name, which says so, and renamed at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from winnow.data.whole_files import disk_errors
from winnow.errors import ConflictError, UserError

SUFFIX = ".partial"
_MARK = ".being-written-by-winnow"


@contextmanager
def new_folder(path: Path) -> Generator[Folder]:
    """A folder to fill, which gets the name `path` when the block ends well and is removed when it does not.

    What a killed process left is removed and written anew.

    Raises:
        UserError: `path` is a file, or a folder with something in it.
        ConflictError: somebody is writing the same folder.
        WorkspaceError: the disk refused.
    """
    refuse_occupied(path)
    partial = path.with_name(path.name + SUFFIX)
    with disk_errors("write", path, place="folder"):
        mark = _claim(partial)
        try:
            with mark:
                yield Folder(partial)
            (partial / _MARK).unlink()
            refuse_occupied(path)
            if path.is_dir():
                path.rmdir()  # Windows renames nothing onto an empty folder
            partial.rename(path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def refuse_occupied(path: Path) -> None:
    """Raises UserError if something is there, other than an empty folder that nobody stands in."""
    with disk_errors("read", path, place="folder"):
        if path.is_dir() and not any(path.iterdir()):
            if path.samefile(Path.cwd()):  # it would be replaced, and the user's shell be nowhere
                raise UserError(f"{path} is the folder that you are in: give a new name in it (--out).")
            return
        if path.exists() or path.is_symlink():
            what = "is a folder with something in it" if path.is_dir() else "is there already"
            raise UserError(f"{path} {what}, and nothing is overwritten: give a new name (--out).")


class Folder:
    """Where files are written (an `Out`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: set[Path] = set()

    def write(self, path: str, data: bytes) -> None:
        """A file below the folder; raises OSError."""
        self._at(path).write_bytes(data)

    def open(self, path: str) -> BinaryIO:
        """The same, to be filled by the caller."""
        return self._at(path).open("wb")

    def files(self) -> list[str]:
        """What was written so far, sorted: paths below the folder, with forward slashes."""
        files = (file.relative_to(self.path).as_posix() for file in self.path.rglob("*") if file.is_file())
        return sorted(file for file in files if file != _MARK)

    def _at(self, path: str) -> Path:
        file = self.path / path
        if file.parent not in self._made:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(file.parent)
        return file


def _claim(folder: Path) -> BinaryIO:
    """Make the folder, with a file in it that is locked as long as it is open: until we close it, or are killed."""
    if folder.exists():
        _remove_what_was_left(folder)
    folder.mkdir(parents=True)
    mark = (folder / _MARK).open("wb")
    with contextlib.suppress(OSError):  # some network disks know no locks
        _lock(mark)
    return mark


def _remove_what_was_left(folder: Path) -> None:
    try:
        mark = (folder / _MARK).open("r+b")
    except OSError as error:
        raise UserError(
            f"{folder} is in the way, and Winnow did not make it: move it away, or give another name (--out)."
        ) from error
    with mark:
        try:
            _lock(mark)
        except (BlockingIOError, PermissionError) as error:
            raise ConflictError(
                f"Another export is writing {folder}: wait for it, or give another name (--out)."
            ) from error
        except OSError:
            pass  # a disk that knows no locks: nobody can tell
    shutil.rmtree(folder)


def _lock(file: BinaryIO) -> None:
    """Raises OSError where another process holds it."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
