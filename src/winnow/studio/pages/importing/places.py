"""Folders of this machine, to choose one by buttons: what lies in a folder that could be imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from winnow.data.class_names import encodable
from winnow.data.paths import at_home
from winnow.data.sources.containers import looks_like_archive
from winnow.data.sources.pictures_of import is_picture_name
from winnow.data.sources.tables.reading import SUFFIXES
from winnow.errors import UserError

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Place:
    """What is in a folder; hidden files and folders are left out.

    Attributes:
        folder: its absolute path.
        folders: names of the folders in it, in alphabetical order; at most `MOST_LISTED`, as of `files`.
        files: archives, tables and annotation files in it.
        n_pictures: that lie in it directly.
        n_more: folders and files that are not listed: too many, or called what no page can show (bytes of an old
            encoding).
    """

    folder: Path
    folders: tuple[str, ...]
    files: tuple[str, ...]
    n_pictures: int
    n_more: int

    @property
    def above(self) -> Path | None:
        """The folder around it; None for the uppermost."""
        return self.folder.parent if self.folder.parent != self.folder else None


def look_into(folder: str | Path) -> Place:
    """What is in a folder.

    Raises:
        UserError: there is no such folder, or it may not be read.
    """
    path = at_home(Path(folder)).absolute()
    folders: list[str] = []
    files: list[str] = []
    n_pictures = n_odd = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if encodable(name) != name and not is_picture_name(name):
                    n_odd += 1
                elif _is_folder(entry):
                    folders.append(name)
                elif is_picture_name(name):
                    n_pictures += 1
                elif name.casefold().endswith((*SUFFIXES, ".xml", ".npz")) or looks_like_archive(name):
                    files.append(name)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = error.strerror if isinstance(error, OSError) else "it is no path"
        raise UserError(f"The folder {path} cannot be opened ({why}): choose another one.") from error
    folders.sort(key=str.casefold)
    files.sort(key=str.casefold)
    n_more = n_odd + max(0, len(folders) - MOST_LISTED) + max(0, len(files) - MOST_LISTED)
    return Place(path, tuple(folders[:MOST_LISTED]), tuple(files[:MOST_LISTED]), n_pictures, n_more)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in circles
        return False
