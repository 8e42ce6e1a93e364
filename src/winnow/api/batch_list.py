"""The files of a large batch, in order, in flat memory: found lazily, sorted in runs on the disk, kept as one list."""

from __future__ import annotations

import hashlib
import heapq
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from winnow.api.picture_files import files_named
from winnow.data.paths import at_home
from winnow.events import Tell

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
        elif path.suffix.lower() == LIST_SUFFIX and path.is_file():
            with path.open("rb") as file:
                yield from _lines(file)
        else:
            yield from files_named(text, sort=partial(_sorted_in_runs, spill), tell=tell)


def _lines(file: BinaryIO) -> Iterator[str]:
    for line in file:
        if path := os.fsdecode(line).strip("\r\n"):
            yield path


def _sorted_in_runs(spill: Path, names: Iterable[str], key: Callable[[str], str]) -> Iterator[str]:
    left = iter(names)
    run = sorted(islice(left, _RUN), key=key)
    runs: list[Path] = []
    with ExitStack() as stack:
        while len(run) == _RUN:
            # While a folder's runs are merged, those of the folders in it come and go.
            descriptor, name = mkstemp(".run", dir=spill)
            os.close(descriptor)
            runs.append(Path(name))
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
