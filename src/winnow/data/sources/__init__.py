"""What can be imported: layouts of folders and archives, and Python objects. A new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from winnow.data.sources.arrays import Arrays, Npz
from winnow.data.sources.class_folders import ClassFolders
from winnow.data.sources.idx import Idx
from winnow.data.sources.source import Found, ImportOptions, InMemory, Layout, Refused
from winnow.data.sources.table import DataFrame, TableFile
from winnow.data.sources.tree import FolderTree, Tree
from winnow.data.sources.zipped import ZipTree
from winnow.errors import BadDataError, NotFoundError, did_you_mean
from winnow.events import Note

# The first that recognises a tree is taken; class folders, which recognise every folder, stand last.
LAYOUTS: tuple[Layout, ...] = (Idx(), Npz(), TableFile(), ClassFolders())
IN_MEMORY: tuple[InMemory, ...] = (DataFrame(), Arrays())

_ARCHIVES = {".zip": ZipTree}


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was recognised: its kind in words, and what finds its pictures."""

    given: object
    """The source as it was understood: text that names a file or folder is a Path."""
    kind: str
    find: Callable[[ImportOptions], Iterator[Found | Refused | Note]]


def open_source(source: object) -> Opened:
    """Recognise a source: a folder, archive or file of one of `LAYOUTS`, or an object of `IN_MEMORY`.

    Raises:
        NotFoundError: there is no such file or folder.
        BadDataError: it is of no kind that can be imported, or a hostile or damaged archive.
    """
    if isinstance(source, str):
        source = Path(source)
    if isinstance(source, Path):
        return _open_path(source.expanduser())
    for kind in IN_MEMORY:
        if kind.matches(source):
            return Opened(source, kind.name, partial(kind.find, source))
    raise _unknown(f"Something of type {type(source).__name__}")


def _open_path(path: Path) -> Opened:
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {path}. {_nearest(path)}")
    tree, only = _tree(path)
    for layout in LAYOUTS:
        files = layout.recognise(tree, only)
        if files is not None:
            return Opened(path, layout.name, partial(layout.find, tree, files))
    raise _unknown(str(path))


def _tree(path: Path) -> tuple[Tree, str | None]:
    """The files of a folder or an archive; of any other file its folder, and its own name."""
    if path.is_dir():
        return FolderTree(path), None
    if (archive := _ARCHIVES.get(path.suffix.casefold())) is not None:
        return archive(path), None
    return FolderTree(path.parent), path.name


def _unknown(shown: str) -> BadDataError:
    known = "; ".join(kind.name for kind in (*LAYOUTS, *IN_MEMORY))
    return BadDataError(f"{shown} cannot be imported. Winnow reads: {known}; and a zip of such a folder.")


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
