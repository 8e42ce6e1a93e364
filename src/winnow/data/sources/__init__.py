"""The kinds of things that can be imported. A new one is a file here and a line in `SOURCES`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from winnow.data.sources.arrays import Arrays
from winnow.data.sources.class_folders import ClassFolders
from winnow.data.sources.idx import Idx
from winnow.data.sources.source import Source
from winnow.data.sources.table import Table
from winnow.data.sources.zipped import Zipped
from winnow.errors import BadDataError, NotFoundError, did_you_mean

# The first that matches is taken: a folder of IDX files is also a folder.
SOURCES: tuple[Source, ...] = (Idx(), ClassFolders(), Zipped(), Table(), Arrays())


def find_source(source: object) -> tuple[Source, Any]:
    """The kind of `source`, and the source itself (text that names a file or folder becomes a Path).

    Raises:
        NotFoundError: there is no such file or folder.
        BadDataError: it is of no kind that can be imported.
    """
    if isinstance(source, str):
        source = Path(source)
    if isinstance(source, Path):
        source = source.expanduser()
        if not source.exists():
            raise NotFoundError(f"There is no file or folder {source}. {_nearest(source)}")
    for kind in SOURCES:
        if kind.matches(source):
            return kind, source
    known = "; ".join(kind.name for kind in SOURCES)
    shown = str(source) if isinstance(source, Path) else f"Something of type {type(source).__name__}"
    raise BadDataError(f"{shown} cannot be imported. Winnow reads: {known}.")


def _nearest(path: Path) -> str:
    """What may have been meant: look in the deepest folder of the path that does exist."""
    missing, parent = path, path.parent
    while not parent.exists() and parent != parent.parent:
        missing, parent = parent, parent.parent
    try:
        names = [entry.name for entry in parent.iterdir()]
    except OSError:
        names = list[str]()
    shown = parent.resolve()
    return did_you_mean(missing.name, names, otherwise=f"Check the path; the nearest folder is {shown}.")
