"""Formats in which a dataset leaves the workspace. A new one is a file and a line here; the contract test finds it.

What leaves is whole or not at all, the files of pictures are the same to the last bit, and an import of it gives the
same pictures, labels and splits. What a format cannot hold is told before anything is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from winnow.data.targets.class_folders import ClassFolders
from winnow.data.targets.coco import Coco
from winnow.data.targets.csv_folder import CsvFolder
from winnow.data.targets.new_folder import new_folder, refuse_occupied
from winnow.data.targets.parquet import Parquet
from winnow.data.targets.stored_zip import StoredZip
from winnow.data.targets.target import Outgoing, Target
from winnow.data.targets.zipped import Zipped
from winnow.data.whole_files import disk_errors, write_with
from winnow.errors import WorkspaceError
from winnow.events import Note, Tell

TARGETS: tuple[Target, ...] = (ClassFolders(), CsvFolder(), Coco(), Parquet(), Zipped())


def write_dataset(going: Outgoing, target: Target, path: Path, tell: Tell) -> tuple[Note, ...]:
    """Write a dataset to `path`, a new folder (or file, for a zip), whole or not at all; gives what was told.

    Raises:
        UserError: the format cannot hold it, or something is at `path` already.
        WorkspaceError: the disk refused, or a picture is missing or damaged.
    """
    refuse_occupied(path)
    notes = target.notes(going)
    for note in notes:
        tell(note)
    _refuse_full_disk(path, going.n_bytes)
    if target.is_file:
        with disk_errors("write", path, place="folder"):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_with(path, _zipping(going, target, tell), is_durable=False)
    else:
        with new_folder(path) as folder:
            target.write(going, folder, tell)
    return tuple(notes)


def _zipping(going: Outgoing, target: Target, tell: Tell) -> Callable[[BinaryIO], None]:
    def write(file: BinaryIO) -> None:
        archive = StoredZip(file)
        target.write(going, archive, tell)
        archive.close()

    return write


def _refuse_full_disk(path: Path, n_bytes: int) -> None:
    """Better now than after an hour."""
    above = next(folder for folder in path.absolute().parents if folder.exists())
    free = shutil.disk_usage(above).free
    if n_bytes > free:
        raise WorkspaceError(
            f"The pictures take {n_bytes / 1e9:.1f} GB, and the disk of {path} has {free / 1e9:.1f} GB left: "
            "free some, or choose a folder on another disk."
        )
