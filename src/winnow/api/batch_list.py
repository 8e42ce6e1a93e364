"""The files of a large batch, in order, in flat memory: walked lazily, sorted in runs on the disk, kept as one list."""

from __future__ import annotations

import glob
import hashlib
import heapq
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from winnow.api.pictures import SUFFIXES
from winnow.data.paths import at_home, is_there
from winnow.errors import NotFoundError, did_you_mean
from winnow.events import Note, Tell

_RUN = 50_000
"""Names of one folder that are sorted in memory; more are sorted in runs of so many, and the runs merged."""
_BLOCK_BYTES = 1 << 16
LIST_SUFFIX = ".txt"
STDIN = "-"


def walk(what: Iterable[str], spill: Path, tell: Tell) -> Iterator[str]:
    """The paths of all pictures in what the user named, in the order given; folders and patterns sorted by name.

    Args:
        what: folders, files, patterns; a text file (`.txt`) of paths, a line each, or "-" for such lines from stdin.
        spill: a folder for the runs of large folders.
        tell: hears of folders that cannot be read.

    Raises:
        NotFoundError: something that was named is not there.
    """
    for text in what:
        path = at_home(Path(text))
        if text == STDIN:
            yield from _lines(sys.stdin.buffer)
        elif is_there(path) and path.is_dir():
            yield from _below("" if path == Path() else str(path), spill, tell)
        elif is_there(path) and path.suffix.lower() == LIST_SUFFIX:
            with path.open("rb") as file:
                yield from _lines(file)
        elif is_there(path):
            yield str(path)
        elif glob.has_magic(text):
            # pathlib globs below a folder that is known; a pattern may begin anywhere.
            found = glob.iglob(str(path), recursive=True)  # noqa: PTH207
            yield from _sorted((one for one in found if Path(one).is_file()), spill)
        else:
            near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise NotFoundError(f"There is no file {path}. {did_you_mean(path.name, near)}".strip())


def _below(folder: str, spill: Path, tell: Tell) -> Iterator[str]:
    """In the order of `sorted(Path(folder).rglob("*"))`: by name, each folder in its place."""
    for name in _sorted(_names(folder, tell), spill, key=lambda one: one.rstrip("/")):
        # Paths in millions: an object of each would take longer than finding them.
        whole = os.path.join(folder, name)  # noqa: PTH118
        if name.endswith("/"):
            yield from _below(whole[:-1], spill, tell)
        else:
            yield whole


def _names(folder: str, tell: Tell) -> Iterator[str]:
    """The pictures of one folder, and its folders with a slash behind; nothing hidden, no linked folder."""
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
            elif name[name.rfind(".") :].lower() in SUFFIXES and entry.is_file():
                yield name


def _lines(file: BinaryIO) -> Iterator[str]:
    for line in file:
        if path := os.fsdecode(line).strip("\r\n"):
            yield path


def _sorted(names: Iterable[str], spill: Path, key: Callable[[str], str] = str) -> Iterator[str]:
    left = iter(names)
    run = sorted(islice(left, _RUN), key=key)
    runs: list[Path] = []
    with ExitStack() as stack:
        while len(run) == _RUN:
            runs.append(spill / f"{hashlib.sha256(os.fsencode(run[0])).hexdigest()[:16]}-{len(runs)}.run")
            stack.callback(runs[-1].unlink, missing_ok=True)
            write_paths(runs[-1], run)
            run = sorted(islice(left, _RUN), key=key)
        yield from heapq.merge(*map(read_paths, runs), run, key=key)


def write_paths(file: Path, paths: Iterable[str]) -> tuple[int, str]:
    """Write paths to a file, and give their number and the SHA-256 (hex) of what was written."""
    count, sha = 0, hashlib.sha256()
    with file.open("wb") as out:
        for path in paths:
            data = os.fsencode(path) + b"\0"  # the one sign that no path holds
            out.write(data)
            sha.update(data)
            count += 1
    return count, sha.hexdigest()


def read_paths(file: Path) -> Iterator[str]:
    """Back from `write_paths`, a block at a time."""
    rest = b""
    with file.open("rb") as source:
        while block := source.read(_BLOCK_BYTES):
            *whole, rest = (rest + block).split(b"\0")
            yield from map(os.fsdecode, whole)
