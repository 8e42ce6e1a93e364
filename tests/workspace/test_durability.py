"""What was said to be in is in: after kill -9, and after a power cut that took the end of the log with it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from winnow.data.edits import Relabel
from winnow.data.manifest import Manifest
from winnow.workspace import database
from winnow.workspace.workspace import Workspace

MAKE_EDITS = str(Path(__file__).parent / "make_edits.py")


@pytest.fixture
def pictures(clouds: Workspace, manifest_of: Callable[..., Manifest]) -> Workspace:
    """Version 2 has the pictures that the program labels."""
    names = [*(f"ada-{n}" for n in range(20)), *(f"shared-{n}" for n in range(4))]
    clouds.add_version("clouds", manifest_of(clouds, *names), "imported")
    return clouds


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_what_a_killed_program_said_is_in_is_in(pictures: Workspace):
    wanted, dice = {e.source: e.label for e in pictures.manifest("clouds").examples()}, random.Random(0)
    newest = 2
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, MAKE_EDITS, str(pictures.folder), "clouds", "ada", "100000"],
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout is not None
            lines = [program.stdout.readline()]
            time.sleep(dice.uniform(0, 0.05))
            program.send_signal(signal.SIGKILL)
            lines += program.stdout.readlines()
        said = [line.split(" ", 2) for line in lines if line.endswith("\n")]
        assert [int(number) for number, *_ in said] == list(range(newest + 1, newest + 1 + len(said)))
        wanted |= {picture: label.strip() for _, picture, label in said}
        versions = pictures.versions("clouds")
        assert [version.number for version in versions] == list(range(1, len(versions) + 1))
        # One edit more may have been in before the program could say so.
        extra = len(versions) - int(said[-1][0])
        assert extra in (0, 1)
        labels = {e.source: e.label for e in pictures.manifest("clouds", int(said[-1][0])).examples()}
        assert labels == wanted
        wanted = {e.source: e.label for e in pictures.manifest("clouds").examples()}
        newest = len(versions)


def test_a_log_cut_anywhere_holds_the_first_edits_and_no_half_one(pictures: Workspace, tmp_path: Path):
    sizes = [0]
    for n in range(12):
        pictures.edit("clouds", [Relabel({f"ada-{n}.png": f"label {n}"})])
        sizes.append(_log(pictures.folder).stat().st_size)
    whole = _log(pictures.folder).read_bytes()
    dice = random.Random(0)
    cuts = [0, 32, len(whole) - 1, len(whole), *sizes[1:-1:3], *(dice.randrange(len(whole)) for _ in range(6))]
    # What lies after the cut may be nothing, an empty page, or what the disk held there before.
    tails = [b"", bytes(4096), dice.randbytes(5000)]
    held = [
        _edits_after_a_cut(pictures.folder, tmp_path / "cut", whole[:cut] + tails[place % 3])
        for place, cut in enumerate(sorted(cuts))
    ]
    assert (held[0], held[-1]) == (0, 12)
    assert held == sorted(held)
    assert len(set(held)) > 4


def _edits_after_a_cut(folder: Path, copy: Path, log: bytes) -> int:
    """How many of the edits are there when only this much of the log has reached the disk."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("winnow.db-*", "cache"))
    _log(copy).write_bytes(log)
    with closing(sqlite3.connect(copy / "winnow.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with Workspace.open(copy) as survivor:
        numbers = [version.number for version in survivor.versions("clouds")]
        assert numbers == list(range(1, len(numbers) + 1))
        edits = len(numbers) - 2
        labels = {e.source: e.label for e in survivor.manifest("clouds").examples()}
        assert [labels[f"ada-{n}.png"] for n in range(edits)] == [f"label {n}" for n in range(edits)]
        assert survivor.edit("clouds", [Relabel({"ada-0.png": "goes on"})]).number == len(numbers) + 1
    shutil.rmtree(copy)
    return edits


def _log(folder: Path) -> Path:
    return folder / "winnow.db-wal"


def test_an_edit_is_told_only_when_the_disk_holds_it(pictures: Workspace, monkeypatch: pytest.MonkeyPatch):
    seen: list[int] = []

    def look(descriptor: int) -> None:
        with closing(sqlite3.connect(pictures.folder / "winnow.db")) as other:
            seen.append(other.execute("SELECT max(number) FROM versions").fetchone()[0])
        os.fsync(descriptor)

    monkeypatch.setattr(database, "_wait_for_data", look)
    made = pictures.edit("clouds", [Relabel({"ada-0.png": "a"})])
    assert seen == [made.number], "the log is synced after the commit, and before anybody hears of it"


def test_a_disk_that_fails_at_the_last_moment_is_told_and_the_next_edit_looks_again(
    pictures: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(database, "_wait_for_data", refuse)
        with pytest.raises(Exception, match="disk is there and healthy"):
            pictures.edit("clouds", [Relabel({"ada-0.png": "a"})])
    numbers = [version.number for version in pictures.versions("clouds")]
    assert pictures.edit("clouds", [Relabel({"ada-1.png": "b"})]).number == numbers[-1] + 1
