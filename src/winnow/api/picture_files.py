"""The picture files in what a person named: a file, a folder with all below it, or a pattern, in the order of names."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from winnow.data.paths import at_home, is_there
from winnow.errors import NotFoundError, did_you_mean
from winnow.events import Note, Tell, tell_nobody

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jfif", ".dcm"})
"""Endings that are looked for in a folder; a file named by the user is read whatever its ending."""

Sort: TypeAlias = Callable[[Iterable[str], Callable[[str], str]], Iterable[str]]
"""Gives names in the order of a key."""


def in_memory(names: Iterable[str], key: Callable[[str], str]) -> Iterable[str]:
    """Sorted as they are."""
    return sorted(names, key=key)


def files_named(text: str, *, sort: Sort = in_memory, tell: Tell = tell_nobody) -> Iterator[str]:
    """The paths of the files in what was named, one by one; of a folder those whose ending is a picture's.

    Nothing hidden below a folder is looked at, and no linked folder.

    Args:
        text: a file, a folder or a pattern such as "photos/*.jpg".
        sort: puts the names of one folder, or what matches a pattern, in order.
        tell: hears of folders that cannot be read.

    Raises:
        NotFoundError: there is no such file or folder; says which is near.
    """
    path = at_home(Path(text))
    if is_there(path):
        yield from _below("" if path == Path() else str(path), sort, tell) if path.is_dir() else (str(path),)
    elif glob.has_magic(text):
        # pathlib globs below a folder that is known; a pattern may begin anywhere.
        found = glob.iglob(str(path), recursive=True)  # noqa: PTH207
        yield from sort((one for one in found if Path(one).is_file()), str)
    else:
        near = [p.name for p in path.parent.iterdir()] if is_there(path.parent) and path.parent.is_dir() else []
        raise NotFoundError(f"There is no file {path}. {did_you_mean(path.name, near)}".strip())


def _below(folder: str, sort: Sort, tell: Tell) -> Iterator[str]:
    """In the order of `sorted(Path(folder).rglob("*"))`: by name, each folder in its place."""
    open_folders = [(folder, _sorted_names(folder, sort, tell))]
    while open_folders:
        where, names = open_folders[-1]
        for name in names:
            # Paths in millions: an object of each would take longer than finding them.
            whole = os.path.join(where, name)  # noqa: PTH118
            if name.endswith("/"):
                open_folders.append((whole[:-1], _sorted_names(whole[:-1], sort, tell)))
                break
            yield whole
        else:
            open_folders.pop()


def _sorted_names(folder: str, sort: Sort, tell: Tell) -> Iterator[str]:
    return iter(sort(_names(folder, tell), lambda name: name.rstrip("/")))


def _names(folder: str, tell: Tell) -> Iterator[str]:
    """The pictures of one folder, and its folders with a slash behind."""
    try:
        entries = os.scandir(folder or ".")
    except OSError as error:
        why = f"The folder {folder} cannot be read ({error.strerror}): its pictures are left out."
        tell(Note(why, is_warning=True))
        return
    with entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield f"{name}/"
            elif name[name.rfind(".") :].lower() in SUFFIXES and _is_file(entry):
                yield name


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself, or into a folder that is closed to us
        return False
