"""What a full disk, a locked database or a missing permission is called in plain words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from winnow.errors import WorkspaceError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
ELSEWHERE = "choose another folder with WINNOW_WORKSPACE=FOLDER"


@contextmanager
def plainly(folder: Path) -> Generator[None]:
    """Turn what the disk and the database raise inside the block into one `WorkspaceError` sentence.

    Raises:
        WorkspaceError: with what happened and what to do. Constraint violations pass through: they are
            either expected by the caller or a bug of ours.
    """
    try:
        yield
    except DBAPIError as error:
        sentence = _of_database(str(error.orig), folder)
        if sentence is None:
            raise
        raise WorkspaceError(sentence) from error
    except OSError as error:
        raise WorkspaceError(of_disk(error, folder)) from error


def of_disk(error: OSError, folder: Path) -> str:
    """The sentence for an error of the operating system, met while writing in the workspace."""
    if error.errno in _NO_ROOM:
        return no_room(folder)
    if error.errno in _NO_PERMISSION:
        return no_permission(folder)
    where = f" ({error.filename})" if error.filename else ""
    return (
        f"The workspace {folder} could not be used: {error.strerror or error}{where}. "
        f"Check that its disk is there and healthy, or {ELSEWHERE}."
    )


def no_room(folder: Path) -> str:
    """The sentence for a full disk; says how much is left, since a quota may bite before the disk does."""
    try:
        left = f" ({shutil.disk_usage(folder).free / 1e6:,.0f} MB free)"
    except OSError:
        left = ""
    return (
        f"The disk that holds the workspace {folder} is full{left}. Free some space there, or move the "
        "folder to another disk and set WINNOW_WORKSPACE to its new place."
    )


def no_permission(folder: Path) -> str:
    """The sentence for a folder that this user may not write to."""
    return f"You may not write to the workspace {folder}. Change the permissions of that folder, or {ELSEWHERE}."


def _of_database(text: str, folder: Path) -> str | None:
    """SQLite has one exception for most troubles; its fixed English messages tell them apart."""
    if "is locked" in text or "is busy" in text:
        return (
            f"The workspace {folder} is busy: another program keeps its database locked. "
            "Wait until that program is done, or stop it, and try again."
        )
    if "is full" in text or _has_no_room(folder):
        return no_room(folder)
    if "readonly" in text or "unable to open database file" in text:
        return no_permission(folder)
    if "not a database" in text or "malformed" in text:
        return (
            f"The database {folder / 'winnow.db'} cannot be read ({text}). Copy the newest file of "
            f"{folder / 'backups'} over it if there is one; else move it away, and Winnow begins a new one "
            "(your pictures are still in blobs/, your models in models/)."
        )
    if "disk I/O error" in text:
        return (
            f"The disk that holds the workspace {folder} reports an error ({text}). Check that disk, and "
            "restore the folder from a backup if files are damaged."
        )
    return None


def _has_no_room(folder: Path) -> bool:
    """SQLite calls a full disk "unable to open" or "disk I/O error" too, depending on the file it grew."""
    try:
        return shutil.disk_usage(folder).free < 1 << 20
    except OSError:
        return False
