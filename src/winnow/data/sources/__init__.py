"""What can be imported: layouts of folders and archives, and Python objects. A new one is a file and a line here."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from winnow.data.paths import at_home, is_there
from winnow.data.sources.arrays import Arrays, Npz
from winnow.data.sources.azure_custom_vision import AzureCustomVision
from winnow.data.sources.class_folders import ClassFolders
from winnow.data.sources.coco import Coco
from winnow.data.sources.containers import archive_at, refuse_other_archives
from winnow.data.sources.create_ml import CreateMl
from winnow.data.sources.cvat import Cvat
from winnow.data.sources.folder import FolderTree
from winnow.data.sources.hugging_face import ImageFolder, ParquetFolder
from winnow.data.sources.idx import Idx
from winnow.data.sources.label_studio import LabelStudio
from winnow.data.sources.naming import well_named
from winnow.data.sources.remote import find_remote, is_remote
from winnow.data.sources.source import Found, ImportOptions, InMemory, Layout, Refused
from winnow.data.sources.table import DataFrame, TableFile, TableFolder
from winnow.data.sources.table_text import PastedTable
from winnow.data.sources.tree import Tree
from winnow.data.sources.unknown import refuse_unknown_annotations
from winnow.data.sources.vertex_ai import VertexAi
from winnow.data.sources.voc import PascalVoc
from winnow.data.sources.webdataset import WebDataset
from winnow.data.sources.yolo import Yolo
from winnow.errors import BadDataError, NotFoundError, did_you_mean
from winnow.events import Note

# The first that recognises a tree is taken; class folders, which recognise every folder, stand last.
LAYOUTS: tuple[Layout, ...] = (
    Idx(),
    Npz(),
    Coco(),
    LabelStudio(),
    AzureCustomVision(),
    VertexAi(),
    CreateMl(),
    PascalVoc(),
    Cvat(),
    Yolo(),
    WebDataset(),
    ImageFolder(),
    TableFolder(),
    ParquetFolder(),
    TableFile(),
    ClassFolders(),
)
IN_MEMORY: tuple[InMemory, ...] = (DataFrame(), Arrays(), PastedTable())


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was recognised: its kind in words, and what finds its pictures."""

    given: object
    """The source as it was understood: text that names a file or folder is a Path."""
    kind: str
    total: int | None
    """How many items `find` gives, where that is known beforehand."""
    find: Callable[[ImportOptions], Iterator[Found | Refused | Note]]


def open_source(source: object) -> Opened:
    """Recognise a source: a folder, archive or file of one of `LAYOUTS`, or an object of `IN_MEMORY`.

    What lies behind an address is looked at only when its pictures are asked for, and if that is allowed.

    Raises:
        NotFoundError: there is no such file or folder.
        BadDataError: it is of no kind that can be imported, or a hostile or damaged archive.
    """
    if isinstance(source, str) and is_remote(source):
        return Opened(source, "an address", None, partial(find_remote, source, _find_at, _find_in))
    if isinstance(source, str):
        if not source:  # a variable without a value, and to a Path the folder that the user stands in
            raise NotFoundError(
                "The path is empty: name a folder, an archive or a table ('.' is the folder you are in)."
            )
        source = Path(source)
    if isinstance(source, Path):
        return _open_path(at_home(source))
    for kind in IN_MEMORY:
        if kind.matches(source):
            return Opened(source, kind.name, None, partial(_find_in_memory, kind, source))
    raise _unknown(f"Something of type {type(source).__name__}")


def _open_path(path: Path) -> Opened:
    try:
        tree, only = _tree(path)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the path
        raise NotFoundError(f"There is no file or folder {path}. {_nearest(path)}") from error
    except OSError as error:
        raise BadDataError(f"{path} cannot be read ({error.strerror}): check the path and its rights.") from error
    if (opened := _open_tree(path, tree, only)) is not None:
        return opened
    if only is not None:
        refuse_other_archives(path)
        refuse_unknown_annotations(tree, only, _known())
    raise _unknown(str(path))


def _open_tree(given: object, tree: Tree, only: str | None) -> Opened | None:
    for layout in LAYOUTS:
        files = layout.recognise(tree, only)
        if files is not None:
            total = None if files else len(tree.paths)
            return Opened(given, layout.name, total, partial(_find, layout, tree, files, only))
    return None


def _find_at(path: Path, options: ImportOptions) -> Iterator[Found | Refused | Note]:
    return _open_path(path).find(options)


def _find_in(tree: Tree, only: str | None, options: ImportOptions) -> Iterator[Found | Refused | Note]:
    if (opened := _open_tree(tree.name, tree, only)) is None:
        raise _unknown(tree.name)
    return opened.find(options)


def _tree(path: Path) -> tuple[Tree, str | None]:
    """The files of a folder or an archive; of any other file its folder, and its own name."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return FolderTree(path), None
    if not stat.S_ISREG(mode):
        raise BadDataError(f"{path} is neither a file nor a folder (a pipe, a device?): give a folder of pictures.")
    archive = archive_at(path)
    return (FolderTree(path.parent), path.name) if archive is None else (archive, None)


def _find(
    layout: Layout, tree: Tree, files: list[str], only: str | None, options: ImportOptions
) -> Iterator[Found | Refused | Note]:
    yield from well_named(layout.find(tree, files, options))
    if only is None:  # what else lies around a single file is nobody's concern
        yield from well_named(tree.remarks)


def _find_in_memory(kind: InMemory, source: object, options: ImportOptions) -> Iterator[Found | Refused | Note]:
    return well_named(kind.find(source, options))


def _unknown(shown: str) -> BadDataError:
    return BadDataError(f"{shown} cannot be imported. Winnow reads: {_known()}.")


def _known() -> str:
    return "; ".join(kind.name for kind in (*LAYOUTS, *IN_MEMORY)) + "; and a zip of such a folder, or a tar"


def _nearest(path: Path) -> str:
    """What may have been meant: look in the deepest folder of the path that does exist."""
    missing, parent = path, path.parent
    while not is_there(parent) and parent != parent.parent:
        missing, parent = parent, parent.parent
    try:
        names = [entry.name for entry in parent.iterdir()]
    except (OSError, ValueError):
        names = list[str]()
    shown = parent.resolve()
    return did_you_mean(missing.name, names, otherwise=f"Check the path; the nearest folder is {shown}.")
