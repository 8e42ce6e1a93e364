"""A file is there whole or not at all, whatever kills us meanwhile; and what a full or locked disk says."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from winnow.errors import WorkspaceError

_SENTENCES = {
    errno.ENOSPC: "there is no space left on the disk: free some, or choose a {place} on another disk",
    errno.EDQUOT: "your disk quota is used up: free some space, or choose a {place} elsewhere",
    errno.EACCES: "there is no permission: choose a {place} you may write to, or change its rights",
    errno.EPERM: "it is not permitted: choose a {place} you may write to, or change the folder's rights",
    errno.EROFS: "the disk is read-only: choose a {place} on another disk",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away, or choose another {place}",
}


@contextmanager
def disk_errors(doing: str, path: Path, *, place: str = "workspace") -> Generator[None]:
    """Turn what the disk may refuse (no space, no permission ...) into a sentence.

    Args:
        doing: what we were about to do, as in "Cannot *write* ...".
        place: what the user may choose elsewhere.

    Raises:
        WorkspaceError: the disk refused.
    """
    try:
        yield
    except OSError as error:
        why = _SENTENCES.get(error.errno or 0, "").format(place=place)
        why = why or f"{error.strerror or error}: check the disk and try again"
        raise WorkspaceError(f"Cannot {doing} {path}: {why}.") from error


def write_whole(path: Path, data: bytes, *, is_durable: bool) -> None:
    """Put `data` at `path`: readers see the old file or the new one, never a part.

    Args:
        is_durable: wait until the disk holds it, so that it also survives a power cut (slow: a few ms each).

    Raises:
        OSError: the disk refused; nothing is left behind.
    """
    write_with(path, lambda file: file.write(data), is_durable=is_durable)


def write_with(path: Path, write: Callable[[BinaryIO], object], *, is_durable: bool) -> None:
    """As `write_whole`, for a `write` that fills an open file."""
    # Same folder, so that the rename never crosses a file system.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if is_durable:
        make_names_durable(path.parent)


def make_names_durable(folder: Path) -> None:
    """Wait until the disk holds the folder's list of names (a rename alone may be lost in a power cut)."""
    if os.name == "nt":  # Windows cannot open a folder for this, and keeps its journal itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
