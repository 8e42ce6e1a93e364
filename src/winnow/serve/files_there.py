"""Whether what is served still lies where it was opened: workers hold it in memory, and a new one opens it again."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from winnow.serve.served import Served
from winnow.tasks.predictor import graph_file, is_model

_GONE = (
    "Its files are no longer there: it goes on answering with what it opened, but a worker that has to start anew "
    "cannot open it. Put them back, or serve another version."
)
_CHANGED = (
    "Its files are others than when it began to be served: it goes on answering with what it opened, but a worker that "
    "has to start anew cannot open it. Serve them anew, or put the old ones back."
)


def warning_about_files(served: Served) -> str | None:
    """Why a worker that starts now could not open a version, in a sentence that names no path; None: it could.

    Reads the disk.
    """
    graph = graph_file(served.path) if served.kind == "pictures" else served.path
    try:
        if served.kind == "pictures" and not is_model(served.path):
            return _GONE
        status = graph.stat()
        digest = _sha256(graph, status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError:
        return _GONE
    return None if digest == served.digest else _CHANGED


@lru_cache(maxsize=256)
def _sha256(file: Path, mtime_ns: int, size: int, inode: int) -> str:
    """Of a file's bytes; read again once the system says that it is another."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
