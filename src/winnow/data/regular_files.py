"""One file, read whole: never waiting for a pipe, and never filling the memory with what is no picture."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from winnow.data.decode import UnreadablePictureError
from winnow.data.dicom import is_dicom
from winnow.data.signatures import format_of

MAX_FILE_BYTES = 512 << 20
"""No file is read beyond this: COCO's largest list of annotations has 449 MB."""
LARGE_FILE_BYTES = 32 << 20
"""A picture above this size is read whole only if it begins like one: beside photographs lie films."""
HEAD_BYTES = 4096
_AT_ONCE = 1 << 20


def read_file(path: str | bytes | Path, *, is_picture: bool = False) -> bytes:
    """The bytes of a regular file.

    Args:
        is_picture: read a large file only if it begins like a picture.

    Raises:
        UnreadablePictureError: E_SPECIAL_FILE, it is a pipe, socket, device or folder; or it is too large.
        OSError: it cannot be opened or read.
    """
    # Without O_NONBLOCK, opening a pipe waits for somebody to write into it: for ever, mostly.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise UnreadablePictureError("E_SPECIAL_FILE", what_it_is(about.st_mode))
        refuse_large(about.st_size)
        # Read by the system's own call: a file object costs as much as reading a digit does. And no more than there is:
        # the room for a megabyte costs more to get than a small picture's bytes.
        most = HEAD_BYTES if is_picture and about.st_size > _AT_ONCE else min(about.st_size + 1, _AT_ONCE)
        data = os.read(descriptor, most)
        if is_picture:
            refuse_no_picture(data, about.st_size)
        if len(data) < about.st_size:
            os.lseek(descriptor, 0, os.SEEK_SET)
            data = os.read(descriptor, about.st_size)  # in one piece: joined, its parts would lie in memory twice
        while 0 < len(data) < about.st_size and (more := os.read(descriptor, about.st_size - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)


def why_unread(error: OSError | ValueError) -> tuple[str, str]:
    """Code and reason of a file that the system does not give."""
    if isinstance(error, FileNotFoundError):
        return "E_MISSING", "There is no such file: check the path."
    why = getattr(error, "strerror", None) or error
    return "E_UNREADABLE", f"The file cannot be read ({why}): check its rights and disk."


def refuse_large(n_bytes: int) -> None:
    """Raises UnreadablePictureError for a file that is too large to be read."""
    if n_bytes > MAX_FILE_BYTES:
        raise UnreadablePictureError(
            "E_BOMB_PIXELS",
            f"The file has {n_bytes >> 20} MB; Winnow reads up to {MAX_FILE_BYTES >> 20} MB. Save it smaller.",
        )


def refuse_no_picture(head: bytes, n_bytes: int) -> None:
    """Raises UnreadablePictureError for a large file that does not begin (`head`) like a picture."""
    if n_bytes > LARGE_FILE_BYTES and format_of(head) is None and not is_dicom(head):
        raise UnreadablePictureError(
            "E_NOT_IMAGE",
            f"The file of {n_bytes >> 20} MB does not begin like a picture (a film?): move it out of the folder.",
        )


def what_it_is(mode: int) -> str:
    """What something is that is no regular file, and what to do, by its mode (`os.stat`)."""
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    kind = next((name for is_kind, name in kinds if is_kind(mode)), "device")
    return f"It is a {kind}, not a file: move it out of the folder."
