"""What a browser drops here: kept in a private folder of the workspace until it is imported, then removed.

A page sends many small pieces: the first line of each is JSON, [[path, where the piece begins, bytes], ...], then come
the bytes of all of them, one after the other.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from pathlib import Path
from typing import Any, cast

from winnow.data.sources.disk_names import MAX_NAME_BYTES, disk_name
from winnow.data.sources.pictures_of import is_picture_name
from winnow.data.sources.tree import MAX_DEPTH, is_litter
from winnow.data.whole_files import disk_errors
from winnow.errors import NotFoundError, UserError
from winnow.workspace.claim import Claim

MOST_FILES = 200_000
MOST_BYTES = 16 << 30
"""More is better imported by its path: nothing has to go through the browser then."""
MOST_PIECE_BYTES = 40 << 20
_SPARE_BYTES = 512 << 20
"""What an upload leaves free on the disk."""
_IDLE_S = 3600.0
_BY_PATH = "import it by its path on this machine instead, where there is no limit."
Piece = tuple[str, int, int]


class Upload:
    """One dropped folder or file while it comes in. Call `write` from one thread at a time."""

    def __init__(self, home: Path, claim: Claim) -> None:
        self.id = home.name
        self.n_files = self.n_bytes = 0
        self.touched = time.monotonic()
        self.is_being_imported = False
        self._home = home
        self._claim = claim
        self._files = home / "files"
        self._files.mkdir(mode=0o700)

    def write(self, data: bytes) -> None:
        """Take in one piece.

        Raises:
            UserError: it is no such piece, or too much for this disk or for an upload.
            WorkspaceError: the disk refused.
        """
        self.touched = time.monotonic()
        pieces, at = _pieces(data)
        for path, begin, size in pieces:
            target = self._place(path)
            self._refuse_too_much(size, is_new=begin == 0)
            if target is not None:
                self._append(target, begin, data[at : at + size])
            at += size

    @property
    def source(self) -> Path:
        """What to import: the one folder, archive or table that was dropped, else the folder around all.

        Raises:
            UserError: nothing was.
        """
        tops = list(self._files.iterdir())
        if not tops:
            raise UserError("Nothing was uploaded: the folder holds no files.")
        return tops[0] if len(tops) == 1 and not is_picture_name(tops[0].name) else self._files

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self._home, ignore_errors=True)
        self._claim.release()

    def _place(self, path: str) -> Path | None:
        """Where a file goes: never outside, whatever its name; None for what systems leave beside files."""
        steps = [step for step in path.split("/") if step]
        if any(map(is_litter, steps)):
            return None
        try:
            names = [disk_name(step) for step in steps]
            is_possible = 0 < len(names) <= MAX_DEPTH and all(len(name.encode()) <= MAX_NAME_BYTES for name in names)
        except UnicodeEncodeError:  # half of a pair of surrogates
            is_possible, names = False, []
        if not is_possible:
            raise UserError(f"No file here can be called '{path[:60]!a}': rename it, then drop the folder again.")
        return self._files.joinpath(*names)

    def _refuse_too_much(self, size: int, *, is_new: bool) -> None:
        self.n_files += is_new
        self.n_bytes += size
        if self.n_files > MOST_FILES:
            raise UserError(f"An upload holds at most {MOST_FILES:,} files: {_BY_PATH}")
        if self.n_bytes > MOST_BYTES:
            raise UserError(f"An upload holds at most {MOST_BYTES >> 30} GB: {_BY_PATH}")
        if size > shutil.disk_usage(self._home).free - _SPARE_BYTES:
            raise UserError(
                f"The disk of the workspace ({self._home.parent}) is nearly full: free some space, or {_BY_PATH}"
            )

    def _append(self, target: Path, begin: int, data: bytes) -> None:
        with disk_errors("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if begin != (target.stat().st_size if target.exists() else 0):
                raise UserError(f"The file '{target.name[:60]}' came twice or in disorder: drop the folder again.")
            with target.open("ab") as file:
                file.write(data)


class Uploads:
    """All uploads below one folder. What a killed studio left there is removed when the next one begins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: dict[str, Upload] = {}

    def begin(self) -> Upload:
        """A new one, empty."""
        self._tidy()
        home = self._folder / secrets.token_hex(16)
        with disk_errors("make", home):
            home.mkdir(mode=0o700, parents=True)
            claim = Claim.take(home)
            assert claim is not None  # nobody can know the name
            upload = self._all[home.name] = Upload(home, claim)
        return upload

    def find(self, upload_id: str) -> Upload:
        """The upload of that id.

        Raises:
            NotFoundError: there is none: it was given up or imported, or the studio was started again since.
        """
        if upload_id not in self._all:
            raise NotFoundError("This upload is gone: the studio was started again, or it was given up. Drop it again.")
        return self._all[upload_id]

    def remove(self, upload_id: str) -> None:
        """Give one up, or be done with it; harmless when repeated."""
        upload = self._all.pop(upload_id, None)
        if upload is not None:
            upload.remove()

    def _tidy(self) -> None:
        for upload in list(self._all.values()):
            if not upload.is_being_imported and time.monotonic() - upload.touched > _IDLE_S:
                self.remove(upload.id)
        for home in self._folder.iterdir() if self._folder.is_dir() else ():
            if home.name not in self._all and (claim := Claim.take(home)) is not None:
                shutil.rmtree(home, ignore_errors=True)
                claim.release()


def _pieces(data: bytes) -> tuple[list[Piece], int]:
    """What the bytes hold, and where the first file's begin."""
    end = data.find(b"\n")
    try:
        given: Any = json.loads(data[:end])
    except (ValueError, RecursionError):
        given = None
    listed = cast("list[Any]", given) if isinstance(given, list) else []
    pieces = [cast("Piece", tuple(one)) for one in listed if _is_piece(one)]
    if end < 0 or not pieces or len(pieces) != len(listed) or end + 1 + sum(size for *_, size in pieces) != len(data):
        raise UserError("The upload was cut off on its way: drop the folder again.")
    return pieces, end + 1


def _is_piece(given: Any) -> bool:
    match given:
        case [str(), int(begin), int(size)]:
            return begin >= 0 and size >= 0
        case _:
            return False
